import { z } from 'zod';
import { restPriceEpoch } from './rest.ts';
import { PLAN_LIMITS, restPlannedResources } from './rest-plan.ts';

const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });
const multiplier = z
  .string()
  .meta({ description: 'Price multiplier, two decimals', example: '1.15' });
const text = (max: number) => z.string().min(1).max(max);

/** What a project does when no Tollgate answers: start the job, or not. */
export const FAIL_MODES = ['open', 'closed'] as const;
export type FailMode = (typeof FAIL_MODES)[number];

export const restQuoteRequest = z.strictObject({
  project: text(63),
  application: text(512).meta({ description: 'Name of the application that shall run' }),
  history: text(512).optional().meta({
    description: 'Name of its earlier runs, where another; * at its end is any text',
    example: 'etl-*',
  }),
  tags: z
    .record(text(128), z.string().max(256))
    .refine((tags) => Object.keys(tags).length <= 64, 'at most 64 tags')
    .optional()
    .meta({ description: 'Tags that earlier runs must have' }),
  pool: text(128).optional(),
  resources: restPlannedResources.optional(),
  minutes: z
    .number()
    .positive()
    .max(PLAN_LIMITS.durationMs / 60_000)
    .optional()
    .meta({ description: 'How long it will hold them; without it, as long as its runs did' }),
  lockMinutes: z
    .number()
    .int()
    .positive()
    .max(525_600)
    .optional()
    .meta({ description: 'Promises the price now for so long, at most api.quotes.lockMaxMinutes' }),
  maxMultiplier: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,3})?$/, 'must be a multiplier such as 1.2')
    .optional()
    .meta({ description: 'Asks when it can start at this price or less', example: '1.2' }),
  maxCost: z
    .string()
    .regex(/^\d{1,18}(\.\d{1,9})?$/, 'must be credits such as 50 or 12.5')
    .optional(),
  deadline: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'When it must have ended; ISO 8601 with a zone' }),
});

export const QUOTE_LIMITS = ['max-multiplier', 'max-cost', 'deadline'] as const;

export const restQuote = z.object({
  id: z
    .string()
    .nullable()
    .meta({ description: 'Tag tollgate.quote of the application; null without a locked price' }),
  project: z.string(),
  application: z.string(),
  pool: z.string(),
  price: z.object({
    multiplier: multiplier.meta({ description: 'Now' }),
    next: restPriceEpoch.nullable().meta({ description: 'Announced, not yet in force' }),
    forecast: multiplier.meta({
      description: 'Over the expected run from now, with what is announced and locked',
    }),
  }),
  locked: z.object({ multiplier, from: instant, until: instant }).nullable(),
  cost: z
    .object({
      expected: credits.meta({ description: 'Median of the runs, or the plan, at the forecast' }),
      low: credits,
      high: credits,
      range: z.enum(['quartiles', 'extremes', 'plan']).meta({
        description: 'What low and high are: p25 and p75, all of fewer than 4 runs, or the plan',
      }),
      basis: z.enum(['history', 'plan', 'plan-and-history']),
      runs: z.number().int(),
    })
    .nullable()
    .meta({ description: 'Null without earlier runs and without a plan' }),
  durationMs: z
    .object({ expected: z.number(), low: z.number(), high: z.number() })
    .nullable()
    .meta({ description: 'Of the earlier runs, or the plan' }),
  perHour: credits
    .nullable()
    .meta({ description: 'An hour of the resources at the price now, minimum charges counted' }),
  fits: z.boolean().meta({ description: 'No limit is missed' }),
  limits: z.array(
    z.object({
      kind: z.enum(QUOTE_LIMITS),
      state: z.enum(['met', 'at-risk', 'missed', 'unknown']),
      message: z.string(),
    }),
  ),
  start: z
    .object({
      state: z.enum(['now', 'announced', 'predicted', 'unknown']),
      at: instant.nullable(),
      earliest: instant.nullable(),
      latest: instant.nullable().meta({ description: 'Null: it has taken over a week before' }),
      message: z.string(),
    })
    .nullable()
    .meta({ description: 'When the price is at most maxMultiplier; null without one' }),
  failMode: z
    .enum(FAIL_MODES)
    .meta({ description: 'What the project does while no Tollgate answers: start jobs, or not' }),
  asOf: instant,
});

/** A locked price as it is kept. */
export const restKeptQuote = z.object({
  id: z.string(),
  project: z.string(),
  application: z.string(),
  pool: z.string(),
  multiplier,
  from: instant,
  until: instant,
  quotedBy: z.string(),
});
export const restKeptQuotes = z.object({ quotes: z.array(restKeptQuote) });
