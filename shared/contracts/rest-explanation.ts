import { z } from 'zod';

/**
 * Why a charge is what it is. Credits are decimal strings and exact; products are nanocredits in
 * decimal, before the one rounding; quantities are resource-ms as decimal strings.
 */
const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });
const multiplier = z
  .string()
  .meta({ description: 'Price multiplier, two decimals', example: '1.15' });
const exact = z.string().meta({ description: 'Nanocredits, exact decimal, not rounded' });
const resources = z.object({
  millicores: z.number().int(),
  memoryMib: z.number().int(),
  gpus: z.number().int(),
});
const quantity = z.object({
  containerMs: z.string(),
  millicoreMs: z.string(),
  mibMs: z.string(),
  gpuMs: z.string(),
});

const explainedFact = z.object({
  id: z.string(),
  kind: z.enum(['container-started', 'container-resized', 'container-stopped']),
  witness: z.string(),
  at: instant,
  storedAt: instant,
  resources,
  host: z.string(),
  reason: z.string(),
  decides: z
    .array(z.enum(['start', 'end', 'resources']))
    .meta({ description: 'What was read out of it; empty where it was passed over' }),
  why: z.string(),
});

const ledgerRow = z.object({
  id: z.string(),
  type: z.enum(['ORIGINAL', 'RETRACTION', 'RESTATEMENT']),
  amount: credits,
  rateCard: z.string(),
  ruleVersion: z.string(),
  coverage: z.string(),
  storedAt: instant,
});

const explainedEpoch = z.object({
  id: z.string(),
  pool: z.string(),
  start: instant,
  end: instant.nullable(),
  multiplier,
  reason: z.string(),
  ruleVersion: z.string(),
  inputs: z.unknown().meta({ description: 'All that the price rule went by, as recorded' }),
});

const explainedLine = z.object({
  hour: instant,
  kind: z.enum(['usage', 'minimum']),
  multiplier,
  pieces: z.array(
    z.object({
      start: instant,
      end: instant,
      resources,
      quantity,
      epoch: z.string().nullable().meta({ description: 'Id; null for time before any epoch' }),
    }),
  ),
  quantity: quantity.nullable(),
  rateCard: z
    .object({
      id: z.string(),
      ...{ coreSecond: credits, gibSecond: credits, gpuSecond: credits },
      rule: z.enum(['additive', 'dominant']),
      minimum: credits,
      scale: z
        .string()
        .meta({ description: 'Of mixed cards: the rates are divided by it; else 1' }),
    })
    .nullable(),
  products: z.array(
    z.object({
      resource: z.enum(['cores', 'memory', 'gpus']),
      quantity: z.string(),
      perUnit: z.string().meta({ description: 'Of the quantity’s units in one of the rate’s' }),
      rate: credits,
      exact,
      counts: z.boolean().meta({ description: 'Whether it is in the sum' }),
    }),
  ),
  sum: exact.nullable().meta({ description: 'Nanocredits × scale, exact decimal, not rounded' }),
  minimum: z
    .object({ least: credits, charged: credits })
    .nullable()
    .meta({ description: 'Of a minimum: least − charged is what is missing' }),
  recomputed: credits,
  ledger: credits.meta({ description: 'Sum of the rows' }),
  rows: z.array(ledgerRow),
  differences: z.array(z.string()),
});

const explainedContainer = z.object({
  container: z.string(),
  role: z.string(),
  attempt: z.string(),
  start: instant.nullable(),
  end: instant.nullable(),
  why: z.string().meta({ description: 'Why it ends there' }),
  coverage: z.enum(['exact', 'inferred', 'open']).nullable(),
  outcome: z
    .string()
    .meta({ description: 'What prices it otherwise, such as preempted 50 (percent); else empty' }),
  chargedUntil: instant.nullable(),
  evidence: z.object({ until: instant, storedAt: instant }).nullable(),
  facts: z.array(explainedFact),
  anomalies: z.array(z.object({ anomaly: z.string(), factId: z.string() })),
  intervals: z.array(z.object({ start: instant, end: instant, resources })),
  lines: z.array(explainedLine),
  recomputed: credits,
  ledger: credits,
});

export const restExplanation = z.object({
  project: z.string(),
  id: z.string(),
  kind: z.enum(['charge', 'application']),
  asOf: instant,
  rules: z.object({
    leaseMs: z.number().int(),
    pool: z.string().nullable().meta({ description: 'Null: always at the base price' }),
    rounding: z.string(),
  }),
  application: z.object({
    id: z.string(),
    cluster: z.string(),
    name: z.string(),
    user: z.string(),
    queue: z.string(),
    tags: z.record(z.string(), z.string()),
    ended: instant.nullable(),
    charged: credits.meta({ description: 'Sum of the ledger over all its containers' }),
    attribution: z.array(
      z.object({
        id: z.string(),
        witness: z.string(),
        at: instant,
        project: z.string().nullable().meta({ description: 'Null for one of another project' }),
        rule: z.number().int().nullable(),
        decides: z.boolean(),
        why: z.string(),
      }),
    ),
  }),
  standing: z
    .enum(['in-force', 'superseded', 'retraction'])
    .nullable()
    .meta({ description: 'Of the charge; null for an application' }),
  containers: z.array(explainedContainer),
  epochs: z.array(explainedEpoch).meta({ description: 'Those that the lines name, once each' }),
  verdict: z.object({
    recomputed: credits,
    ledger: credits,
    equal: z.boolean(),
    message: z.string(),
  }),
  cursor: z.string().nullable().meta({ description: 'More containers follow' }),
});

export type RestExplanation = z.infer<typeof restExplanation>;
