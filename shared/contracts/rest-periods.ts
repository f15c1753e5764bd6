import { z } from 'zod';

const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });
const month = z.string().meta({ description: 'UTC month', example: '2026-10' });

/** What a charge is, and in whose books it stands. */
export const restBooking = {
  kind: z
    .enum(['usage', 'minimum'])
    .meta({ description: 'minimum: what was missing to a container’s minimum charge' }),
  booked: z
    .string()
    .meta({ description: 'Month of the books; later than its hour’s where that was closed' }),
};

const sums = {
  amount: credits.meta({ description: 'base + surge + minimum' }),
  base: credits.meta({ description: 'What the use costs at 1.00 X' }),
  surge: credits.meta({ description: 'What load added, or took off' }),
  minimum: credits.meta({ description: 'What was missing to minimum charges' }),
  coverage: z
    .object({ exact: credits, inferred: credits })
    .meta({ description: 'How sure the amount is; the two add up to it' }),
  quantity: z.object({
    containerMs: z.string(),
    millicoreMs: z.string(),
    mibMs: z.string(),
    gpuMs: z.string(),
  }),
  rows: z.number().int().meta({ description: 'Rows of the ledger, corrections included' }),
};

/** A month's totals of a project; `hash` is of the canonical JSON of `report`. */
export const restPeriodReport = z.object({
  report: z.object({
    ruleVersion: z.string(),
    project: z.string(),
    month,
    state: z.enum(['open', 'closed']).meta({ description: 'As it was at the cut-off' }),
    cutOff: instant.meta({ description: 'Rows stored later are not in it' }),
    ratingRules: z.array(z.string()),
    total: z.object(sums),
    charges: z.object(sums).meta({ description: 'Of hours of the month itself' }),
    corrections: z
      .object({ ...sums, months: z.array(z.object({ month, ...sums })) })
      .meta({ description: 'Learnt of earlier months after they were closed' }),
    applications: z.array(
      z.object({
        cluster: z.string(),
        application: z.string(),
        ...sums,
        roles: z.array(z.object({ role: z.string(), ...sums })),
      }),
    ),
  }),
  money: z
    .object({ currency: z.string(), perCredit: z.string(), amount: z.string() })
    .nullable()
    .meta({ description: 'The total in money, rounded once; null where a credit has no price' }),
  hash: z.string().meta({
    description:
      'SHA-256 of the report as JSON with sorted keys and without blanks: the same question gives the same hash, always',
    example: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  }),
});

export const restRateCards = z.object({
  rateCards: z.array(
    z.object({
      id: z.string().meta({ description: 'As charges name it' }),
      pool: z.string().nullable().meta({ description: 'null: every one' }),
      market: z.enum(['on-demand', 'spot']).nullable().meta({ description: 'null: every one' }),
      validFrom: instant,
      rule: z
        .enum(['additive', 'dominant'])
        .meta({ description: 'All resources are paid, or the dearest alone' }),
      coreSecond: credits,
      gibSecond: credits,
      gpuSecond: credits,
      minimum: credits.meta({ description: 'Least that a container costs over its life' }),
    }),
  ),
});

export const restClosedPeriod = z.object({
  month,
  closedAt: instant,
  closedBy: z.string().meta({ description: 'Label of the token; empty where nobody signs in' }),
});
export const restClosedPeriods = z.object({ periods: z.array(restClosedPeriod) });
