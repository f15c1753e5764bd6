import { HOUR_MS, type Instant } from '../../values/instant.ts';
import type { MetricQuery } from '../metric-store.ts';
import { encodeName, encodeValue, lineKey, lineMeasurement } from './influx-name.ts';
import type { AnswerPart, Tags } from './query-answer.ts';
import { CLOCK_SKEW_MS } from './window-marks.ts';

/** What is known of a project's hour. */
export interface HourState {
  readonly hour: Instant;
  /** When raw points of it were last written. */
  readonly writtenAt: Instant;
  /** When its aggregates were begun; undefined while there are none. */
  readonly computedAt?: Instant | undefined;
}

export interface LongTermRules {
  readonly rawRetentionMs: number;
  readonly longStepMs: number;
  readonly longGraceMs: number;
  readonly longTags: readonly string[];
}

/** Late points that trickle in make an hour be done again at most this often. */
const AGAIN_MS = 5 * 60_000;

/**
 * Hours to aggregate, in order: those that are over and have no aggregates, and those that points
 * came to afterwards. An hour whose raw points begin to go is left as it is: done again it would
 * lose what went.
 */
export function dueHours(
  states: readonly HourState[],
  now: Instant,
  rules: Pick<LongTermRules, 'rawRetentionMs' | 'longGraceMs'>,
): Instant[] {
  const isDue = ({ hour, writtenAt, computedAt }: HourState): boolean => {
    if (hour + HOUR_MS + rules.longGraceMs > now) return false;
    if (hour < now - rules.rawRetentionMs) return false;
    if (computedAt === undefined) return true;
    return writtenAt >= computedAt - CLOCK_SKEW_MS && computedAt <= now - AGAIN_MS;
  };
  return states
    .filter(isDue)
    .map(({ hour }) => hour)
    .sort((a, b) => a - b);
}

/** Tags that long-term series have. */
export function keptTags(rules: Pick<LongTermRules, 'longTags'>): string[] {
  return [...new Set(['project', 'cluster', ...rules.longTags])];
}

/**
 * Whether a query is answered from long-term aggregates: it begins before the raw points, its step
 * is not finer than theirs, and it asks for no tag that they lack.
 */
export function readsLongTerm(
  query: Pick<MetricQuery, 'from' | 'stepMs' | 'tags'>,
  now: Instant,
  rules: LongTermRules,
): boolean {
  const kept = new Set(keptTags(rules));
  return (
    query.from < now - rules.rawRetentionMs &&
    query.stepMs >= rules.longStepMs &&
    Object.keys(query.tags ?? {}).every((name) => kept.has(name))
  );
}

/** What is kept of each step, in the order of its columns. */
export const LONG_PARTS = ['min', 'max', 'sum', 'count', 'last'] as const;
export type LongPart = (typeof LONG_PARTS)[number];

/** Field of a part. Every long-term field ends with one, so the last _ tells them apart. */
export function longField(field: string, part: LongPart): string {
  return `${field}_${part}`;
}

/** How the tags of a long-term series begin its lines. */
export function longLineKey(measurement: string, tags: Tags): string {
  const parts = Object.entries(tags)
    .map(([name, value]) => `,${lineKey(encodeName(name))}=${lineKey(encodeValue(value))}`)
    .sort();
  return lineMeasurement(encodeName(measurement)) + parts.join('');
}

/** Line protocol of one answer `time, min, max, sum, count, last`, or without the sum. */
export function longLines(key: string, field: string, { columns, rows }: AnswerPart): string {
  const parts = LONG_PARTS.map((part) => ({
    at: columns.indexOf(part),
    name: lineKey(encodeName(longField(field, part))),
  })).filter(({ at }) => at > 0);
  let text = '';
  for (const row of rows) {
    const values = parts.flatMap(({ at, name }) =>
      typeof row[at] === 'number' ? [`${name}=${Object.is(row[at], -0) ? '-0' : row[at]}`] : [],
    );
    if (values.length > 0) text += `${key} ${values.join(',')} ${row[0]}\n`;
  }
  return text;
}
