import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';

export interface GroupCommitOptions<T, R> {
  readonly clock: Clock;
  /** What an error calls the store. */
  readonly name: string;
  readonly intervalMs: number;
  /** Writes of this size in all are committed at once. */
  readonly fullSize: number;
  /** Stores all or none, durable when it returns; one result for each write. */
  readonly commit: (writes: readonly T[]) => readonly R[];
  /** Runs after the writers of a commit have been told. */
  readonly committed?: () => void;
}

interface Waiting<T, R> {
  readonly write: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** Gathers writes so that they share one transaction and its fsync. */
export class GroupCommit<T, R> implements AsyncDisposable {
  readonly #options: GroupCommitOptions<T, R>;
  readonly #closing = new AbortController();
  #waiting: Waiting<T, R>[] = [];
  #size = 0;
  #wake = new AbortController();
  #flushing: Promise<void> | undefined;
  #lastCommit = Number.NEGATIVE_INFINITY;

  constructor(options: GroupCommitOptions<T, R>) {
    this.#options = options;
  }

  /** The write's result, once it is durable. */
  add(write: T, size: number): Promise<R> {
    if (this.#closing.signal.aborted) {
      return Promise.reject(
        new AppError('STORE_UNAVAILABLE', `the ${this.#options.name} is closed`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
      this.#size += size;
      if (this.#size >= this.#options.fullSize) this.#wake.abort();
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    while (this.#waiting.length > 0) {
      // Writes of the same turn share a commit, and a source with a backlog leaves turns to others.
      await new Promise((resolve) => setImmediate(resolve));
      const waitMs = this.#lastCommit + intervalMs - clock.elapsed();
      if (waitMs > 0) await clock.sleep(waitMs, this.#wake.signal);
      if (!this.#closing.signal.aborted) this.#wake = new AbortController();
      this.#lastCommit = clock.elapsed();
      this.#size = 0;
      this.#commit(this.#waiting.splice(0));
    }
    // In the same turn as the last look, so that no write falls between.
    this.#flushing = undefined;
  }

  #commit(group: readonly Waiting<T, R>[]): void {
    let results: readonly R[];
    try {
      results = this.#options.commit(group.map(({ write }) => write));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const [i, { resolve }] of group.entries()) resolve(results[i] as R);
    this.#options.committed?.();
  }

  /** What was added is committed first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    await this.#flushing;
  }
}
