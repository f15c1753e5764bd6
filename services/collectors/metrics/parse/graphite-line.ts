import { dropped, type Fate, kept, quarantined } from '../../core/fate.ts';

/** One line of Graphite's plaintext protocol. */
export interface GraphiteLine {
  readonly name: string;
  readonly value: number;
  /** In ms. */
  readonly at: number;
}

const FORM = /^[ \t]*([^ \t]+)[ \t]+([^ \t]+)[ \t]+([^ \t]+)[ \t\r]*$/;
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,4})?$/;
const NOT_A_NUMBER = /^[-+]?(nan|inf|infinity)$/i;
const SECONDS = /^\d{1,11}(\.\d{1,9})?$/;

/**
 * Reads any form of the line: runs of blanks, exponents, fractions of a second. NaN and the
 * infinities are dropped: a gauge without a value says so in this way, and no store can add them.
 */
export function parseGraphiteLine(line: string): Fate<GraphiteLine> {
  const [, name, value, seconds] = FORM.exec(line) ?? [];
  if (name === undefined || value === undefined || seconds === undefined) {
    return quarantined('malformed-line', line);
  }
  if (!SECONDS.test(seconds)) return quarantined('malformed-line', line);
  if (NOT_A_NUMBER.test(value)) return dropped('not-a-number');
  if (!NUMBER.test(value)) return quarantined('malformed-line', line);
  const number = Number(value);
  if (!Number.isFinite(number)) return dropped('not-a-number');
  return kept({ name, value: number, at: Math.floor(Number(seconds) * 1000) });
}
