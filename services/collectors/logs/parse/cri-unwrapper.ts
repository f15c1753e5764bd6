const NEWLINE = 10;
const SPACE = 32;
const PARTIAL = 80;

/**
 * The prefix that container runtimes give every line: time, stream, `F` for a whole line or `P` for
 * a part of one. Source: kubernetes/kubernetes pkg/kubelet/kuberuntime/logs (CRI log format).
 */
const PREFIX =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP](?: |\n|$)/;
const LOOK_BYTES = 80;
/** A runtime writes lines of 16 KiB at most. */
const MAX_LINE = 1 << 20;

export function isCri(bytes: Buffer): boolean {
  return PREFIX.test(bytes.toString('latin1', 0, LOOK_BYTES));
}

/**
 * Takes the runtime's prefixes off, joins what it cut, and knows which place in the file a place in
 * the unwrapped text stands for. A line without prefix passes as it is.
 */
export class CriUnwrapper {
  #rest: Buffer = Buffer.alloc(0);
  /** Offsets where unwrapped lines begin: `[unwrapped, raw]`, rising. */
  #lines: [number, number][];
  #raw: number;
  #unwrapped: number;
  #inLine = false;

  constructor(start: number) {
    this.#raw = start;
    this.#unwrapped = start;
    this.#lines = [[start, start]];
  }

  /** The text of the whole lines; the rest waits. */
  push(bytes: Buffer): Buffer {
    const held = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const parts: Buffer[] = [];
    let from = 0;
    for (;;) {
      let newline = held.indexOf(NEWLINE, from);
      if (newline === -1 && held.length - from <= MAX_LINE) break;
      if (newline === -1) newline = held.length - 1;
      parts.push(this.#line(held.subarray(from, newline + 1)));
      from = newline + 1;
    }
    this.#rest = held.subarray(from);
    return Buffer.concat(parts);
  }

  /** Where in the file the unwrapped text before `offset` ends. */
  rawOffset(offset: number): number {
    let found = this.#lines[0]?.[1] ?? 0;
    let dropped = 0;
    for (const [unwrapped, raw] of this.#lines) {
      if (unwrapped > offset) break;
      found = raw;
      dropped += 1;
    }
    // Positions only rise.
    this.#lines.splice(0, Math.max(0, dropped - 1));
    return found;
  }

  #line(line: Buffer): Buffer {
    const prefix = PREFIX.exec(line.toString('latin1', 0, LOOK_BYTES))?.[0];
    let text = line;
    let partial = false;
    if (prefix !== undefined) {
      const hasText = prefix.charCodeAt(prefix.length - 1) === SPACE;
      const flag = prefix.charCodeAt(prefix.length - 2);
      partial = hasText && flag === PARTIAL;
      text = line.subarray(hasText ? prefix.length : prefix.length - 1);
      if (partial) text = text.subarray(0, text.at(-1) === NEWLINE ? -1 : undefined);
    }
    this.#raw += line.length;
    this.#unwrapped += text.length;
    this.#inLine = partial;
    if (!this.#inLine) this.#lines.push([this.#unwrapped, this.#raw]);
    return text;
  }
}
