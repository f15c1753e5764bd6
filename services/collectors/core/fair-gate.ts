import { AppError } from '../../../shared/errors/app-error.ts';
import { FairQueue } from './fair-queue.ts';

export interface FairGateOptions {
  /** Bytes that are worked on at a time; one piece passes whatever its size. */
  readonly workBytes: number;
  /** Bytes that wait for that. */
  readonly limitBytes: number;
  /** What waits, such as `pushed logs`, for the error's text. */
  readonly name: string;
  readonly quantum?: number;
  /** What a sender that is refused is told to wait. */
  readonly retryAfterMs?: number;
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
  #working = 0;

  constructor(options: FairGateOptions) {
    this.#options = options;
    this.#queue = new FairQueue({
      limitBytes: options.limitBytes,
      quantum: options.quantum ?? QUANTUM,
    });
  }

  /**
   * Waits for its turn; dispose what it gives when the work is done.
   *
   * @throws AppError OVERLOADED when too much of this project waits already; the signal's reason
   */
  async enter(project: string, bytes: number, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { admit: resolve, gone: false };
    if (!this.#queue.push(project, waiter, bytes)) {
      const { name, retryAfterMs = RETRY_AFTER_MS } = this.#options;
      const whose = project === '' ? 'that name no project' : `of ${project}`;
      const message = `too many ${name} ${whose} wait to be stored; send the same again later`;
      throw new AppError('OVERLOADED', message, { details: { retryAfterMs } });
    }
    const leave = (): void => {
      waiter.gone = true;
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#admit();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
    let done = false;
    return {
      [Symbol.dispose]: () => {
        if (done) return;
        done = true;
        this.#working -= bytes;
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (;;) {
      const next = this.#queue.peek();
      if (next === undefined) return;
      const fits = this.#working === 0 || this.#working + next.bytes <= this.#options.workBytes;
      if (!fits && !next.item.gone) return;
      this.#queue.shift();
      if (next.item.gone) continue;
      this.#working += next.bytes;
      next.item.admit();
    }
  }
}
