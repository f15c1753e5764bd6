import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';

export interface BatchQueueOptions<T, R> {
  /** What an error calls those who wait. */
  readonly name: string;
  /** One result for each item, in order; rejects for all of them. */
  readonly run: (items: readonly T[]) => Promise<readonly R[]>;
  readonly batchMax: number;
  readonly onTheWayMax: number;
  readonly waitingMax: number;
  /** Least time from one batch's beginning to the next's. */
  readonly restMs: number;
  readonly clock: Pick<Clock, 'sleep'>;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

const never = new AbortController().signal;

/**
 * What comes in one turn of the event loop, during a rest, or while as many batches as may be are on
 * the way, goes together: many small writes share a transaction and its fsync. The first after a
 * rest waits for nothing.
 */
export class BatchQueue<T, R> {
  readonly #options: BatchQueueOptions<T, R>;
  readonly #waiting: Waiting<T, R>[] = [];
  #onTheWay = 0;
  #resting = false;

  constructor(options: BatchQueueOptions<T, R>) {
    this.#options = options;
  }

  /** @throws AppError OVERLOADED */
  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      const { name, waitingMax } = this.#options;
      if (this.#waiting.length >= waitingMax) {
        reject(new AppError('OVERLOADED', `too many ${name} wait; send again later`));
        return;
      }
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    const { batchMax, onTheWayMax } = this.#options;
    while (this.#waiting.length > 0 && this.#onTheWay < onTheWayMax && !this.#resting) {
      this.#onTheWay += 1;
      void this.#rest();
      void this.#run(this.#waiting.splice(0, batchMax)).finally(() => {
        this.#onTheWay -= 1;
        this.#next();
      });
    }
  }

  async #rest(): Promise<void> {
    const { restMs, clock } = this.#options;
    this.#resting = true;
    await clock.sleep(restMs, never);
    this.#resting = false;
    this.#next();
  }

  async #run(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as R);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
