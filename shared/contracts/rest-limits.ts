import { z } from 'zod';

/** Kinds of quotas. */
export const LIMIT_KINDS = ['credits', 'cores', 'stored-bytes', 'log-bytes'] as const;

/** Why a limit refuses. */
export const LIMIT_CODES = [
  'balance-exhausted',
  'estimate-exceeds-balance',
  'cores-exceeded',
  'stored-bytes-exceeded',
  'stored-bytes-unknown',
  'log-bytes-exceeded',
  'log-bytes-unknown',
] as const;

export type LimitKind = (typeof LIMIT_KINDS)[number];
export type LimitCode = (typeof LIMIT_CODES)[number];

const limit = {
  kind: z.enum(LIMIT_KINDS),
  limit: z
    .string()
    .meta({ description: 'Exact: credits, cores or bytes; for credits granted + credit line' }),
  used: z
    .string()
    .meta({ description: 'For credits charged + accrued + reserved; cores running or held' }),
  asOf: z
    .string()
    .nullable()
    .meta({ description: 'When it was measured; null for what is counted' }),
  stale: z
    .boolean()
    .meta({ description: 'Measured too long ago, or never: refuses only in fail mode closed' }),
};

export const restLimit = z.object(limit);

export const restLimitReason = z.object({
  ...limit,
  code: z.enum(LIMIT_CODES),
  message: z.string(),
  retryAfter: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'Seconds after which asking again may help; null where it will not' }),
});
