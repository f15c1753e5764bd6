/** Takes exact numbers of bytes from chunks of any size. */
export class ByteFeed {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#chunks = input[Symbol.asyncIterator]();
  }

  /** Reads on until `length` bytes are held; false when the input ends first. */
  async #fill(length: number): Promise<boolean> {
    if (this.#held.length >= length) return true;
    const parts = [this.#held];
    let size = this.#held.length;
    while (size < length) {
      const { done, value } = await this.#chunks.next();
      if (done === true) break;
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      size += value.byteLength;
    }
    this.#held = Buffer.concat(parts, size);
    return size >= length;
  }

  /** The next `length` bytes without taking them, or all that is left when the input ends first. */
  async peek(length: number): Promise<Buffer> {
    await this.#fill(length);
    return this.#held.subarray(0, length);
  }

  /** The next `length` bytes; undefined when the input ends first (what is left stays). */
  async take(length: number): Promise<Buffer | undefined> {
    if (!(await this.#fill(length))) return undefined;
    const bytes = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return bytes;
  }

  /** All that is left, chunk by chunk. */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#held.length > 0) {
      const held = this.#held;
      this.#held = Buffer.alloc(0);
      yield held;
    }
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return;
      yield value;
    }
  }

  /** Lets the input release what it holds. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
