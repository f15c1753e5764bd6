/**
 * Turns pushed bytes into a stream for one reader. `write` resolves when the reader has done all it
 * can with them and asks for more, or has stopped: so nothing piles up, and what came out of the
 * bytes is known to be complete.
 */
export class ByteChannel implements AsyncIterable<Uint8Array> {
  #next: Uint8Array | undefined;
  #ended = false;
  #readerGone = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#readerGone) return;
    this.#next = chunk;
    this.#wakeReader?.();
    await new Promise<void>((resolve) => {
      this.#wakeWriter = resolve;
    });
  }

  /** No more bytes come. */
  end(): void {
    this.#ended = true;
    this.#wakeReader?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        this.#wakeWriter?.();
        this.#wakeWriter = undefined;
        while (this.#next === undefined && !this.#ended) {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
        }
        const chunk = this.#next;
        this.#next = undefined;
        if (chunk === undefined) return;
        yield chunk;
      }
    } finally {
      this.close();
    }
  }

  /** The reader has stopped, with or without having read all. */
  close(): void {
    this.#readerGone = true;
    this.#wakeWriter?.();
  }
}
