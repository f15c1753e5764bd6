/**
 * A first-in-first-out queue with a limit in bytes. Producers wait in `put` when it is full; that
 * is the back pressure. An item larger than the limit passes alone.
 */
export class BoundedQueue<T> {
  readonly #limit: number;
  readonly #items: { item: T; bytes: number }[] = [];
  #bytes = 0;
  #closed = false;
  #wakeProducers: (() => void)[] = [];
  #wakeConsumer: (() => void) | undefined;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False, without waiting, when the item doesn't fit now. */
  offer(item: T, bytes: number): boolean {
    if (this.#closed) throw new Error('the queue is closed');
    if (this.#items.length > 0 && this.#bytes + bytes > this.#limit) return false;
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#wakeConsumer?.();
    return true;
  }

  async put(item: T, bytes: number, signal: AbortSignal): Promise<void> {
    while (!this.offer(item, bytes)) {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(signal.reason);
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort, { once: true });
        this.#wakeProducers.push(() => {
          signal.removeEventListener('abort', abort);
          resolve();
        });
      });
    }
  }

  /** Takes what is there, up to `maxItems`, waiting for the first; empty once closed and drained. */
  async take(maxItems: number): Promise<T[]> {
    while (this.#items.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wakeConsumer = resolve;
      });
      this.#wakeConsumer = undefined;
    }
    const taken = this.#items.splice(0, maxItems);
    for (const { bytes } of taken) this.#bytes -= bytes;
    for (const wake of this.#wakeProducers.splice(0)) wake();
    return taken.map(({ item }) => item);
  }

  /** No more items come; what is queued can still be taken. */
  close(): void {
    this.#closed = true;
    this.#wakeConsumer?.();
  }
}
