import { HOUR_MS, type Instant, utcHour } from './instant.ts';

/** The half-open span `[start, end)`. */
export interface Interval {
  readonly start: Instant;
  readonly end: Instant;
}

/** Length in milliseconds; never negative: an inverted interval is empty. */
export function lengthMs(interval: Interval): number {
  return Math.max(0, interval.end - interval.start);
}

/** The part that both intervals share, or undefined when it is empty. */
export function intersect(a: Interval, b: Interval): Interval | undefined {
  const start = Math.max(a.start, b.start);
  const end = Math.min(a.end, b.end);
  return end > start ? { start, end } : undefined;
}

/** Cuts at every UTC hour; the pieces join without gap and their lengths add up to the whole. */
export function cutAtUtcHours(interval: Interval): Interval[] {
  const pieces: Interval[] = [];
  let start = interval.start;
  while (start < interval.end) {
    const end = Math.min(interval.end, utcHour(start) + HOUR_MS);
    pieces.push({ start, end });
    start = end;
  }
  return pieces;
}
