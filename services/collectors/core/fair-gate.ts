import { AppError } from '../../../shared/errors/app-error.ts';
import { FairQueue } from './fair-queue.ts';
import { fairlyFits } from './fairly-fits.ts';

export interface FairGateOptions {
  /** Bytes that are worked on at a time; one piece passes whatever its size. */
  readonly workBytes: number;
  /** Bytes that are worked on or wait for it; one project holds no more than half. */
  readonly limitBytes: number;
  /** What waits, such as `pushed logs`, for the error's text. */
  readonly name: string;
  /** Bytes of a project's turn. */
  readonly quantum?: number;
}

const QUANTUM = 64 * 1_024;
const RETRY_AFTER_MS = 1_000;

interface Waiter {
  readonly admit: () => void;
  gone: boolean;
}

/** Lets work of many projects through to one writer, in turn by bytes. */
export class FairGate {
  readonly #options: FairGateOptions;
  readonly #queue: FairQueue<Waiter>;
  /** Worked on or waiting, by project. */
  readonly #held = new Map<string, number>();
  #heldBytes = 0;
  #workingBytes = 0;

  constructor(options: FairGateOptions) {
    this.#options = options;
    const quantum = options.quantum ?? QUANTUM;
    this.#queue = new FairQueue({ limitBytes: Number.POSITIVE_INFINITY, quantum });
  }

  /**
   * Enters at once where nobody waits and there is room, else undefined.
   *
   * @throws AppError OVERLOADED when too much of this project is there already
   */
  tryEnter(project: string, bytes: number): Disposable | undefined {
    const isFree = this.#queue.bytes === 0 && this.#fits(bytes);
    if (!isFree) return undefined;
    this.#hold(project, bytes);
    this.#workingBytes += bytes;
    return this.#turn(project, bytes);
  }

  /**
   * Waits for its turn; dispose what it gives when the work is done.
   *
   * @throws AppError OVERLOADED as `tryEnter`; the signal's reason
   */
  async enter(project: string, bytes: number, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    this.#hold(project, bytes);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { admit: resolve, gone: false };
    this.#queue.push(project, waiter, bytes);
    const leave = (): void => {
      waiter.gone = true;
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#admit();
    try {
      await promise;
    } catch (error) {
      this.#release(project, bytes);
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
    return this.#turn(project, bytes);
  }

  #turn(project: string, bytes: number): Disposable {
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#workingBytes -= bytes;
        this.#release(project, bytes);
        this.#admit();
      },
    };
  }

  #fits(bytes: number): boolean {
    return this.#workingBytes === 0 || this.#workingBytes + bytes <= this.#options.workBytes;
  }

  #hold(project: string, bytes: number): void {
    const { name, limitBytes: limit } = this.#options;
    const own = this.#held.get(project) ?? 0;
    if (!fairlyFits({ own, held: this.#heldBytes, limit }, bytes)) {
      const whose = project === '' ? 'that name no project' : `of ${project}`;
      const message = `too many ${name} ${whose} wait to be stored; send the same again later`;
      throw new AppError('OVERLOADED', message, { details: { retryAfterMs: RETRY_AFTER_MS } });
    }
    this.#held.set(project, own + bytes);
    this.#heldBytes += bytes;
  }

  #release(project: string, bytes: number): void {
    const own = (this.#held.get(project) ?? 0) - bytes;
    if (own > 0) this.#held.set(project, own);
    else this.#held.delete(project);
    this.#heldBytes -= bytes;
  }

  #admit(): void {
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      const { item, bytes } = next;
      if (!item.gone && !this.#fits(bytes)) return;
      this.#queue.shift();
      if (item.gone) continue;
      this.#workingBytes += bytes;
      item.admit();
    }
  }
}
