import { z } from 'zod';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

const DURATION = /^(?:\d{1,9}(?:ms|[smhdw]))+$/;
const YEAR_MS = 366 * DAY_MS;

/** Prometheus' notation: `90s`, `5m`, `1h30m`, `7d`; undefined for anything else. In ms. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdw])/g)) {
    total += Number(count) * (UNITS[unit ?? ''] ?? 0);
  }
  return total;
}

/** A duration as rules write it; in ms once it is read. At most a year. */
export const duration = (sentence: string) =>
  z
    .string()
    .regex(DURATION, 'must be a duration such as 90s, 5m, 1h30m or 7d')
    .transform((text) => parseDuration(text) ?? 0)
    .refine((ms) => ms <= YEAR_MS, 'must be at most 366d')
    .describe(sentence);

/** As `duration`, and longer than nothing. */
export const span = (sentence: string) =>
  duration(sentence).refine((ms) => ms > 0, 'must be longer than 0s');
