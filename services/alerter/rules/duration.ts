import { z } from 'zod';
import { parseDuration } from '../../../shared/values/duration.ts';
import { DAY_MS } from '../../../shared/values/instant.ts';

const YEAR_MS = 366 * DAY_MS;

/** A duration as rules write it; in ms once it is read. At most a year. */
export const duration = (sentence: string) =>
  z
    .string()
    .refine((text) => parseDuration(text) !== undefined, {
      error: 'must be a duration such as 90s, 5m, 1h30m or 7d',
      abort: true,
    })
    .transform((text) => parseDuration(text) ?? 0)
    .refine((ms) => ms <= YEAR_MS, 'must be at most 366d')
    .describe(sentence);

/** As `duration`, and longer than nothing. */
export const span = (sentence: string) =>
  duration(sentence).refine((ms) => ms > 0, 'must be longer than 0s');
