import type { Instant } from '../../values/instant.ts';

/** A UTC month of event time. What lies far off shares one at either end, so that months are few. */
export interface EventMonth {
  /** Such as 202611; 0 before the first and 999999 after the last. */
  readonly number: number;
  /** First instant; undefined when it has none. */
  readonly from: Instant | undefined;
  readonly until: Instant | undefined;
}

const FIRST_YEAR = 2010;
const LAST_YEAR = 2099;

export function eventMonth(at: Instant): EventMonth {
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (year < FIRST_YEAR) return { number: 0, from: undefined, until: Date.UTC(FIRST_YEAR, 0) };
  if (year > LAST_YEAR) {
    return { number: 999_999, from: Date.UTC(LAST_YEAR + 1, 0), until: undefined };
  }
  return {
    number: year * 100 + month + 1,
    from: Date.UTC(year, month),
    until: Date.UTC(year, month + 1),
  };
}

/** The number of the month that holds any instant, those included that no Date holds. */
export function monthNumber(at: Instant): number {
  return eventMonth(Math.max(-8.64e15, Math.min(8.64e15, at))).number;
}
