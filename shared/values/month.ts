import type { Instant } from './instant.ts';

/** A UTC month of the books, `2026-10`: text, whose order is that of time. */
export type Month = string;

const PATTERN = /^(\d{4})-(0[1-9]|1[0-2])$/;

/** The month as written, or undefined for what is none between 1970 and 9998. */
export function parseMonth(text: string): Month | undefined {
  const year = Number(PATTERN.exec(text)?.[1] ?? 0);
  return year >= 1970 && year <= 9998 ? text : undefined;
}

/** The month that holds an instant, from 1970 on; months are cut in UTC, whatever a clock shows. */
export function monthOf(at: Instant): Month {
  return new Date(at).toISOString().slice(0, 7);
}

/** First instant of a month. */
export function monthStart(month: Month): Instant {
  return Date.parse(`${month}-01T00:00:00Z`);
}

/** First instant after a month: its end, exclusive. */
export function monthEnd(month: Month): Instant {
  const start = new Date(monthStart(month));
  return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1);
}
