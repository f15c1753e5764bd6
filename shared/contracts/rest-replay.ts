import { z } from 'zod';

/** A past window charged under another tariff, on paper. Credits are decimal strings, exact. */
const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-01T00:00:00.000Z' });

const change = {
  charged: credits.meta({ description: 'What the ledger charged, corrections included' }),
  replayed: credits.meta({ description: 'What the same facts come to under the tariff' }),
  difference: credits,
  percent: z
    .string()
    .nullable()
    .meta({ description: 'Two decimals; null where nothing was charged', example: '-12.50' }),
};

/** What a tariff can say otherwise than the configuration. */
export const REPLAY_PARTS = [
  'rateCard',
  'rateCards',
  'markets',
  'pools',
  'price',
  'budgets',
] as const;

export const restReplayProject = z.object({
  project: z.string(),
  ...change,
  exhaustedAt: instant
    .nullable()
    .meta({ description: 'End of the first hour after which no credits were left' }),
  lowest: credits.nullable().meta({ description: 'Lowest balance; null where nothing is limited' }),
  refused: z.object({
    applications: z.number().int().meta({ description: 'Started while no credits were left' }),
    charged: credits.meta({ description: 'What they were charged' }),
    first: z.array(z.string()),
  }),
});

export const restReplayPool = z.object({
  pool: z.string(),
  changes: z.object({ announced: z.number().int(), replayed: z.number().int() }),
  mean: z
    .object({ announced: z.string(), replayed: z.string() })
    .meta({ description: 'Multiplier, weighted by time' }),
  highest: z.object({ announced: z.string(), replayed: z.string() }),
});

export const restReplayResult = z.object({
  type: z.literal('result'),
  from: instant,
  until: instant,
  project: z.string().nullable(),
  changed: z
    .array(z.enum(REPLAY_PARTS))
    .meta({ description: 'What the tariff says otherwise than the configuration' }),
  containers: z.number().int(),
  intervals: z.number().int(),
  lines: z.number().int(),
  total: z.object(change),
  projects: z.array(restReplayProject),
  pools: z.array(restReplayPool),
});

export const restReplayProgress = z.object({
  type: z.literal('progress'),
  phase: z.enum(['prices', 'charges', 'budgets']),
  done: z.number(),
  total: z.number(),
});

export const restReplayTariff = z.record(z.string(), z.unknown()).meta({
  description:
    'rateCard, rateCards, markets, pools, price, budgets; see services/metering/replay/config.ts',
});

/** One line of the answer. After a problem nothing follows. */
export const restReplayLine = z.discriminatedUnion('type', [
  restReplayProgress,
  restReplayResult,
  z.object({
    type: z.literal('problem'),
    status: z.number().int(),
    title: z.string(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
]);

export type RestReplayResult = z.infer<typeof restReplayResult>;
export type RestReplayProgress = z.infer<typeof restReplayProgress>;
export type RestReplayLine = z.infer<typeof restReplayLine>;
