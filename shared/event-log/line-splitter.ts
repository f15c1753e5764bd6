const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Far above any event of Spark (a SQL plan of many MB is known), far below what memory allows. */
export const MAX_EVENT_BYTES = 64 * 1024 * 1024;

/** Receives each line without its line end, valid only during the call. */
export type OnLine = (line: Buffer) => void;

/**
 * Cuts bytes into lines without decoding them. A line longer than the cap is skipped and counted,
 * and never held whole.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: OnLine;
  #parts: Buffer[] = [];
  #held = 0;
  #skipping = false;
  /** Lines over the cap so far. */
  tooLong = 0;

  constructor(onLine: OnLine, maxBytes = MAX_EVENT_BYTES) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  #emit(line: Buffer): void {
    const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    if (end > 0) this.#onLine(end === line.length ? line : line.subarray(0, end));
  }

  #hold(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    if (this.#held + part.length > this.#maxBytes) {
      this.#skipping = true;
      this.tooLong += 1;
      this.#parts = [];
      this.#held = 0;
      return;
    }
    // A copy: the caller may use its chunk again.
    this.#parts.push(Buffer.from(part));
    this.#held += part.length;
  }

  #flush(part: Buffer): void {
    this.#hold(part);
    if (this.#skipping) this.#skipping = false;
    else this.#emit(this.#takeHeld());
  }

  #takeHeld(): Buffer {
    const line = this.#parts.length === 1 ? this.#parts[0] : undefined;
    const whole = line ?? Buffer.concat(this.#parts, this.#held);
    this.#parts = [];
    this.#held = 0;
    return whole;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (;;) {
      const to = bytes.indexOf(NEWLINE, from);
      if (to < 0) break;
      if (this.#held > 0 || this.#skipping) this.#flush(bytes.subarray(from, to));
      else if (to - from <= this.#maxBytes) this.#emit(bytes.subarray(from, to));
      else this.tooLong += 1;
      from = to + 1;
    }
    this.#hold(bytes.subarray(from));
  }

  /** What follows the last newline, or undefined; the splitter is empty afterwards. */
  takeRest(): Buffer | undefined {
    this.#skipping = false;
    if (this.#held === 0) return undefined;
    return this.#takeHeld();
  }
}
