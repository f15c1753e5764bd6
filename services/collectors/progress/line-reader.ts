export interface Line {
  readonly text: string;
  /** Byte offset of its first byte in the file that it began in. */
  readonly start: number;
  /** The line was longer than allowed; `text` is its beginning. */
  readonly cut: boolean;
}

const NEWLINE = 10;

/** Cuts bytes into lines across chunks, holding no more than `limitBytes` of an unfinished one. */
export class LineReader {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #held = 0;
  #cut = false;
  #start: number | undefined;
  #lines = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** Newlines seen. */
  get lines(): number {
    return this.#lines;
  }

  /** Where the unfinished line began; undefined between lines. */
  get openSince(): number | undefined {
    return this.#start;
  }

  /** @param start offset of the first byte in its file */
  push(bytes: Buffer, start: number): Line[] {
    const lines: Line[] = [];
    let from = 0;
    while (from < bytes.length) {
      this.#start ??= start + from;
      const newline = bytes.indexOf(NEWLINE, from);
      this.#hold(bytes.subarray(from, newline < 0 ? bytes.length : newline));
      if (newline < 0) break;
      this.#lines += 1;
      lines.push(...this.flush());
      from = newline + 1;
    }
    return lines;
  }

  /** The unfinished line, for the end of a file. */
  flush(): Line[] {
    if (this.#start === undefined) return [];
    const line = {
      text: Buffer.concat(this.#parts).toString('utf8').replace(/\r$/, ''),
      start: this.#start,
      cut: this.#cut,
    };
    this.#parts = [];
    this.#held = 0;
    this.#cut = false;
    this.#start = undefined;
    return line.text.trim() === '' ? [] : [line];
  }

  #hold(bytes: Buffer): void {
    const room = this.#limit - this.#held;
    if (bytes.length > room) this.#cut = true;
    const part = bytes.subarray(0, Math.max(0, room));
    if (part.length === 0) return;
    // A chunk's memory is used again by its reader.
    this.#parts.push(Buffer.from(part));
    this.#held += part.length;
  }
}
