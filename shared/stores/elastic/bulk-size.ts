/** Below this a refusal says nothing about size any more. */
const SMALLEST_BYTES = 16 * 1024;

/** How large a bulk may be now: refusals halve it, and what went well lets it grow again. */
export class BulkSize {
  #largest: number;
  #bytes: number;

  constructor(largestBytes: number) {
    this.#largest = largestBytes;
    this.#bytes = largestBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The server was too busy for a body of so many bytes. */
  refused(bytes: number): void {
    const half = Math.floor(Math.min(bytes, this.#bytes) / 2);
    this.#bytes = Math.min(this.#bytes, Math.max(SMALLEST_BYTES, half));
  }

  /** Something on the way takes no body of so many bytes, now or later. */
  tooLarge(bytes: number): void {
    this.#largest = Math.min(this.#largest, Math.max(1, Math.floor(bytes * 0.8)));
    this.#bytes = Math.min(this.#bytes, Math.max(1, Math.floor(bytes / 2)));
  }

  accepted(): void {
    this.#bytes = Math.min(this.#largest, Math.ceil(this.#bytes * 1.25));
  }
}
