import type { Instant } from '../../../shared/values/instant.ts';
import { parseGraphiteLine } from './parse/graphite-line.ts';
import type { PointBatch } from './point-batch.ts';
import type { ResolvedName } from './resolve-name.ts';
import { isPlausible, type SeriesEntry, type SeriesTable } from './series-table.ts';

const NEWLINE = 10;
const RETURN = 13;
const BLANK = 32;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
/** Whole numbers of so many digits, and their quotients by a power of ten, are exact doubles. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS + 1 }, (_, n) => 10 ** n);
const NO_BYTES = Buffer.alloc(0);

export interface GraphiteRules {
  /** Name of the source in the quarantine. */
  readonly source: string;
  readonly maxLineBytes: number;
  /** Bounds of plausible times, at the moment of reading. */
  readonly notBefore: () => Instant;
  readonly notAfter: () => Instant;
  readonly observedAt: () => Instant;
  readonly resolve: (latin1: string) => ResolvedName;
}

/**
 * Reads Graphite plaintext from one connection, cut into pieces anywhere. A line counts when its
 * newline has come. The usual form is read from the bytes; any other goes through parseGraphiteLine.
 */
export class GraphiteReader {
  readonly #table: SeriesTable;
  readonly #rules: GraphiteRules;
  #rest: Buffer = NO_BYTES;
  /** Inside a line that is too long, of which nothing is kept. */
  #skipping = false;
  #notBefore: Instant = 0;
  #notAfter: Instant = 0;

  constructor(table: SeriesTable, rules: GraphiteRules) {
    this.#table = table;
    this.#rules = rules;
  }

  read(chunk: Buffer, batch: PointBatch): void {
    this.#notBefore = this.#rules.notBefore();
    this.#notAfter = this.#rules.notAfter();
    let bytes = chunk;
    let start = 0;
    if (this.#skipping) {
      start = bytes.indexOf(NEWLINE) + 1;
      if (start === 0) return;
      this.#skipping = false;
    } else if (this.#rest.length > 0) {
      bytes = Buffer.concat([this.#rest, chunk]);
      this.#rest = NO_BYTES;
    }
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0) break;
      if (end - start > this.#rules.maxLineBytes) batch.drop('line-too-long');
      else if (!this.#usual(bytes, start, end, batch)) this.#unusual(bytes, start, end, batch);
      start = end + 1;
    }
    if (bytes.length - start > this.#rules.maxLineBytes) {
      batch.drop('line-too-long');
      this.#skipping = true;
    } else if (start < bytes.length) {
      // A copy: the piece would keep its whole chunk alive.
      this.#rest = Buffer.from(bytes.subarray(start));
    }
  }

  /** The connection is over: a line without its newline may be cut, so it is not believed. */
  end(batch: PointBatch): void {
    if (this.#rest.length > 0) batch.drop('partial-line');
    this.#rest = NO_BYTES;
  }

  /** `<name> <number> <seconds>` with single blanks; false when the line has another form. */
  #usual(bytes: Buffer, start: number, end: number, batch: PointBatch): boolean {
    let at = end - 1;
    if (bytes[at] === RETURN) at -= 1;
    let seconds = 0;
    let power = 1;
    const lastDigit = at;
    for (; at >= start; at -= 1) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      seconds += digit * power;
      power *= 10;
    }
    const digits = lastDigit - at;
    if (digits === 0 || digits > 11 || bytes[at] !== BLANK) return false;
    const blank = bytes.lastIndexOf(BLANK, at - 1);
    if (blank <= start) return false;
    const value = exactNumber(bytes, blank + 1, at);
    if (value === undefined) return false;
    this.#point(bytes.toString('latin1', start, blank), seconds * 1000, value, batch);
    return true;
  }

  #unusual(bytes: Buffer, start: number, end: number, batch: PointBatch): void {
    const line = bytes.toString('latin1', start, end);
    const fate = parseGraphiteLine(line);
    if (fate.fate === 'kept') {
      this.#point(fate.record.name, fate.record.at, fate.record.value, batch);
    } else if (fate.fate === 'dropped') batch.drop(fate.reason);
    else if (line.trim() === '') batch.drop('empty-line');
    else this.#refuse(line, fate.reason, batch);
  }

  #point(name: string, at: Instant, value: number, batch: PointBatch): void {
    const entry = this.#table.get(name) ?? this.#newName(name, at, value, batch);
    if (entry === undefined) return;
    if (entry.ref < 0) batch.drop('series-limit');
    else if (at < this.#notBefore || at > this.#notAfter) batch.drop('time-implausible');
    else if (!isPlausible(value, entry.check)) batch.drop('value-undefined');
    else batch.add(entry.ref, at, value);
  }

  #newName(name: string, at: Instant, value: number, batch: PointBatch): SeriesEntry | undefined {
    const resolved = name.includes(' ') ? { reason: 'malformed-line' } : this.#rules.resolve(name);
    if ('series' in resolved) return this.#table.add(name, resolved);
    this.#refuse(`${name} ${value} ${at / 1000}`, resolved.reason, batch);
    return undefined;
  }

  /** Text with one character a byte is kept as the UTF-8 it was meant to be. */
  #refuse(latin1: string, reason: string, batch: PointBatch): void {
    const { source, observedAt } = this.#rules;
    const raw = Buffer.from(latin1, 'latin1').toString('utf8');
    batch.quarantine({ source, reason, raw, project: '', observedAt: observedAt() });
  }
}

/** The number in `[from, until)` when digits with at most one dot give it exactly, else undefined. */
function exactNumber(bytes: Buffer, from: number, until: number): number | undefined {
  const negative = bytes[from] === MINUS;
  let at = negative ? from + 1 : from;
  let whole = 0;
  let digits = 0;
  let decimals = -1;
  for (; at < until; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === DOT && decimals < 0 && digits > 0) decimals = 0;
    else {
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9) return undefined;
      whole = whole * 10 + digit;
      digits += 1;
      if (decimals >= 0) decimals += 1;
    }
  }
  if (digits === 0 || digits > EXACT_DIGITS) return undefined;
  const value = decimals > 0 ? whole / (POWERS_OF_TEN[decimals] ?? 1) : whole;
  return negative ? -value : value;
}
