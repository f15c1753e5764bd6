import { z } from 'zod';

/** Grants over REST: what was given, which of them paid what, and when they will have. */
const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-12-01T00:00:00.000Z' });

const burnt = {
  granted: credits.meta({ description: 'Begun by now; used + left + expired' }),
  used: credits.meta({ description: 'By charges, debts and credits taken back' }),
  left: credits,
  expired: credits,
};

const rollover = z.object({
  minRollover: credits.meta({ description: 'Least that each month passes on' }),
  maxRollover: credits.meta({ description: 'Most of what is left that each month passes on' }),
});

export const restGrant = z.object({
  id: z.string(),
  project: z.string(),
  credits: credits.meta({ description: 'Given once, or each month' }),
  reason: z.string(),
  grantedAt: instant,
  priority: z.number().int().meta({ description: 'Low burns first' }),
  validFrom: instant,
  expiresAt: instant.nullable(),
  monthly: rollover.nullable(),
  ...burnt,
  months: z
    .array(z.object({ month: z.string(), rolledIn: credits, ...burnt }))
    .meta({ description: 'Of a monthly grant: the last 24' }),
});

export const restGrants = z.object({
  grants: z.array(restGrant),
  debt: credits.meta({ description: 'Charged with no grant to pay; the next one pays it first' }),
  segments: z
    .array(
      z.object({
        from: instant,
        until: instant,
        burns: z
          .array(z.object({ grant: z.string(), credits }))
          .meta({ description: 'In burn order; of a monthly grant with its month' }),
        debt: credits.meta({ description: 'What no grant paid; negative when debts were paid' }),
      }),
    )
    .meta({ description: 'Spans in which the same grants paid: the last 200, oldest first' }),
});

export const restGrantRequest = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: 'Given by the caller, so that sending it again grants nothing twice' }),
  credits: z.string().meta({ description: 'Exact decimal; negative takes back', example: '500' }),
  reason: z.string().max(500).default(''),
  priority: z.number().int().optional().meta({ description: 'From 0 (the default) to 1000' }),
  validFrom: instant.optional().meta({
    description: 'Whole UTC hour, of a monthly grant the start of a month; the present one without',
  }),
  expiresAt: instant.optional().meta({ description: 'Whole UTC hour or month; never without' }),
  monthly: rollover
    .partial()
    .optional()
    .meta({ description: 'Gives the credits each UTC month, for that month' }),
});

export const restLevels = z.object({
  project: z.string(),
  borrowed: credits.meta({ description: 'Of its siblings; its next grant pays it first' }),
  borrowMax: credits.meta({ description: 'How far below zero its balance may go by borrowing' }),
  levels: z
    .array(
      z.object({
        level: z.string().meta({ example: 'team/data' }),
        monthlyLimit: credits.nullable(),
        used: credits.meta({ description: 'By all its projects in this UTC month' }),
        left: credits.nullable(),
        asOf: instant.nullable().meta({ description: 'When it was summed' }),
      }),
    )
    .meta({ description: 'Its team first' }),
});

export const restForecast = z.object({
  project: z.string(),
  at: instant.meta({ description: 'When it was made' }),
  outcome: z.enum(['ends', 'lasts', 'ended', 'unknown']),
  reason: z.string().meta({ description: 'One sentence' }),
  ends: instant.nullable().meta({ description: 'Half of the futures have ended by then' }),
  earliest: instant.nullable().meta({ description: 'One in ten has ended by then' }),
  latest: instant.nullable().meta({ description: 'Nine in ten have ended by then' }),
  until: instant.meta({ description: 'How far it looks; null above lies beyond' }),
  historyDays: z.number().int().meta({ description: 'Whole UTC days that it draws from' }),
});
