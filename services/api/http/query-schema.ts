import { z } from 'zod';
import { type Instant, parseInstant } from '../../../shared/values/instant.ts';
import { badRequest } from './bad-request.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `-15m`, `-2h`, `now` or ISO 8601 with a zone; undefined for anything else. */
export function parseTime(text: string, now: Instant): Instant | undefined {
  if (text === 'now') return now;
  const match = /^-(\d{1,6})([smhd])$/.exec(text);
  if (match === null) return parseInstant(text);
  return now - Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0);
}

/** A time in a query, relative to now or absolute. */
export function timeParameter(now: () => Instant, byDefault: string) {
  return z
    .string()
    .default(byDefault)
    .transform((text, context) => {
      const at = parseTime(text, now());
      if (at !== undefined) return at;
      context.addIssue({
        code: 'custom',
        message: 'must be ISO 8601 with a zone, or such as -15m, -2h, -7d, now',
      });
      return z.NEVER;
    })
    .meta({ description: `ISO 8601 with a zone, or -15m, -2h, -7d, now; default ${byDefault}` });
}

/** @throws AppError BAD_REQUEST when nothing lies between */
export function checkWindow({ from, until }: { from: Instant; until: Instant }): void {
  if (from < until) return;
  throw badRequest([{ path: 'query.from', message: 'must be before until' }]);
}

export function limitParameter(byDefault: number, maximum: number) {
  return z.coerce
    .number()
    .int()
    .min(1)
    .max(maximum)
    .default(byDefault)
    .meta({ description: `Most entries of the answer, 1 to ${maximum}` });
}
