import { z } from 'zod';
import { LIMIT_CODES, restLimit, restLimitReason } from './rest-limits.ts';
import { restBooking } from './rest-periods.ts';
import { PLAN_LIMITS, restPlannedResources } from './rest-plan.ts';
import { restPriceThought, restPriceWhy } from './rest-prices.ts';
import { restCoverage } from './rest-witnesses.ts';

/**
 * The answers of the REST API, as the API sends and the page, the CLI and jobs read them.
 * Credits are decimal strings, exact; instants are ISO 8601 in UTC; durations are in ms.
 */
const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });
const multiplier = z
  .string()
  .meta({ description: 'Price multiplier, two decimals', example: '1.15' });
const resources = z.object({
  cores: z.number().meta({ description: 'Cores; fractions where a manager grants them' }),
  memoryMib: z.number().int(),
  gpus: z.number().int(),
});

export const restBalance = z.object({
  project: z.string(),
  granted: credits,
  charged: credits.meta({ description: 'Sum of the ledger, corrections included' }),
  accrued: credits.meta({ description: 'Use of running containers that is not charged yet' }),
  reserved: credits.meta({ description: 'Held by reservations beyond what is charged under them' }),
  balance: credits.meta({ description: 'granted − charged − accrued − reserved' }),
  burnPerHour: credits.meta({
    description: 'What running containers cost an hour at the price now',
  }),
  coverage: restCoverage,
  unlimited: z.boolean().meta({ description: 'Never granted anything: nothing is enforced' }),
  asOf: instant.meta({ description: 'Evidence up to here is in the balance' }),
  shadow: z.literal(true).optional().meta({ description: 'Charged, and never refused' }),
});

export const restCharges = z.object({
  charges: z.array(
    z.object({
      id: z.string(),
      type: z.enum(['ORIGINAL', 'RETRACTION', 'RESTATEMENT']),
      ...restBooking,
      cluster: z.string(),
      application: z.string(),
      container: z.string(),
      role: z.string(),
      hour: instant,
      multiplier,
      amount: credits,
      containerMs: z.string(),
      millicoreMs: z.string(),
      mibMs: z.string(),
      gpuMs: z.string(),
      rateCard: z.string(),
      ruleVersion: z.string(),
      coverage: z.enum(['exact', 'inferred']),
      outcome: z.string().meta({
        description: 'The policy that priced it and the percentage paid, such as `preempted 50`',
      }),
      storedAt: instant,
    }),
  ),
  coverage: restCoverage.meta({ description: 'Of the charges of this page' }),
  cursor: z.string().nullable(),
});

export const restMetrics = z.object({
  series: z.array(
    z.object({
      tags: z.record(z.string(), z.string()),
      points: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
});

export const restProject = z.object({
  id: z.string(),
  name: z.string(),
  tags: z.record(z.string(), z.string()),
  balance: restBalance,
  runningApplications: z.number().int(),
});
export const restProjects = z.object({ projects: z.array(restProject) });

export const restStopRequest = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: 'Given by the caller, so that sending it again stops nothing twice' }),
  withinMs: z
    .number()
    .int()
    .min(0)
    .max(3_600_000)
    .default(60_000)
    .meta({ description: 'Queries that have come to no boundary by then are stopped anyway' }),
  force: z
    .boolean()
    .default(false)
    .meta({ description: 'Even where a checkpoint isn’t on durable storage, or no query runs' }),
});
export const restStop = z.object({
  id: z.string(),
  cluster: z.string(),
  application: z.string(),
  withinMs: z.number().int(),
  force: z.boolean(),
  orderedBy: z.string(),
  orderedAt: instant,
  state: z.enum(['ordered', 'stopping', 'stopped', 'refused']),
  clean: z
    .boolean()
    .nullable()
    .meta({ description: 'No uncommitted batch was seen; null until it has stopped' }),
  message: z.string(),
  updatedAt: instant,
});
export const restStops = z.object({ stops: z.array(restStop) });

/** Where executors' slot time went; the five add up to `slotMs`. Ms of one core slot. */
export const restActivity = z.object({
  slotMs: z.number(),
  usefulMs: z.number(),
  wastedMs: z
    .number()
    .meta({ description: 'Failed, killed and speculative attempts, stages run again' }),
  idleMs: z.number(),
  tailMs: z
    .number()
    .meta({ description: 'Wait of an executor between its last task and its release' }),
  startUpMs: z.number(),
});

export const restApplication = z.object({
  id: z.string(),
  cluster: z.string(),
  project: z.string(),
  name: z.string(),
  user: z.string(),
  queue: z.string(),
  attempts: z.array(z.string()),
  state: z.enum(['running', 'ended']),
  start: instant,
  end: instant.nullable(),
  containers: z.object({ running: z.number().int(), total: z.number().int() }),
  resources: resources.meta({ description: 'Of its running containers' }),
  cost: z.object({
    charged: credits,
    accrued: credits,
    total: credits,
    perHour: credits,
    coverage: restCoverage,
  }),
  coverage: z.enum(['exact', 'inferred', 'running']),
  activity: restActivity.nullable(),
  tags: z.record(z.string(), z.string()),
  links: z.object({
    sparkUi: z.string().nullable(),
    manager: z.string().nullable(),
    logs: z.string().nullable(),
  }),
});
export const restApplications = z.object({
  applications: z.array(restApplication),
  cursor: z.string().nullable(),
});

export const restPriceEpoch = z.object({
  start: instant,
  end: instant.nullable(),
  multiplier,
  reason: z.string(),
  why: restPriceWhy
    .nullable()
    .optional()
    .meta({ description: 'With why=true; null where nothing was recorded' }),
});
export const restPrices = z.object({
  pools: z.array(
    z.object({
      pool: z.string(),
      now: restPriceEpoch,
      next: restPriceEpoch.nullable().meta({ description: 'Announced, not yet in force' }),
      history: z.array(restPriceEpoch),
      thought: restPriceThought
        .nullable()
        .optional()
        .meta({ description: 'With why=true; null before the first thought' }),
    }),
  ),
});

export const restClusters = z.object({
  clusters: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      pool: z.string(),
      load: z
        .object({ at: instant, allocated: resources, pending: resources, capacity: resources })
        .nullable(),
      history: z
        .array(
          z.object({
            at: instant,
            allocated: z.number(),
            pending: z.number(),
            capacity: z.number(),
          }),
        )
        .meta({ description: 'Cores, oldest first' }),
      nodes: z.number().int(),
      link: z.string().nullable(),
    }),
  ),
});

export const restQuotaCheckRequest = z.strictObject({
  project: z.string().min(1).max(63),
  pool: z.string().min(1).max(128).optional(),
  resources: restPlannedResources.optional(),
  durationMs: z
    .number()
    .int()
    .positive()
    .max(PLAN_LIMITS.durationMs)
    .optional()
    .meta({ description: 'How long it will hold them' }),
});
const PASSES = ['ok', 'unlimited', 'shadow'] as const;
export const QUOTA_REASONS = [
  ...PASSES,
  'unknown-project',
  ...LIMIT_CODES,
  'level-exhausted',
  'estimate-exceeds-level',
  'denied',
] as const;
export const restQuotaCheck = z.object({
  allowed: z.boolean(),
  reason: z.enum(QUOTA_REASONS),
  message: z.string(),
  project: z.string(),
  balance: credits,
  price: z.object({ pool: z.string(), multiplier }),
  estimate: credits
    .nullable()
    .meta({ description: 'At the price now; null without resources and duration' }),
  level: z
    .string()
    .nullable()
    .meta({ description: 'Team or organisation that refuses; null when none does' }),
  reasons: z.array(restLimitReason).meta({ description: 'Every limit that refuses' }),
  limits: z.array(restLimit).meta({ description: 'Every limit that there is' }),
  asOf: instant,
});

export const restLog = z.object({
  key: z.string(),
  at: instant,
  project: z.string(),
  cluster: z.string(),
  application: z.string(),
  container: z.string(),
  level: z.string(),
  logger: z.string(),
  thread: z.string(),
  message: z.string(),
  fingerprint: z.string(),
  marks: z.array(z.string()),
});
export const restLogs = z.object({ logs: z.array(restLog), cursor: z.string().nullable() });
export const restFingerprints = z.object({
  fingerprints: z.array(
    z.object({ fingerprint: z.string(), count: z.number().int(), example: restLog }),
  ),
});

export const VERDICTS = ['ok', 'warn', 'stall', 'stop', 'rewind'] as const;
export const restStreamingQueries = z.object({
  queries: z.array(
    z.object({
      id: z.string(),
      runId: z.string(),
      name: z.string(),
      project: z.string(),
      cluster: z.string(),
      application: z.string(),
      state: z.enum(['running', 'terminated', 'failed', 'silent']),
      verdict: z.enum(VERDICTS),
      lastBatchAt: instant,
      batchId: z.number(),
      inputRowsPerSecond: z.number().nullable(),
      processedRowsPerSecond: z.number().nullable(),
      stateRows: z.number().nullable(),
      watermarkDelayMs: z.number().nullable(),
      lag: z.number().nullable().meta({ description: 'Records behind, all partitions' }),
      partitions: z.array(
        z.object({
          topic: z.string(),
          partition: z.string(),
          lag: z.number().nullable(),
          verdict: z.enum(VERDICTS),
        }),
      ),
    }),
  ),
});

export const restReplay = z.object({ replayed: z.number().int(), stored: z.number().int() });

export const restQuarantine = z.object({
  counts: z.array(z.object({ collector: z.string(), reason: z.string(), records: z.number() })),
  records: z.array(
    z.object({
      id: z.string(),
      collector: z.string(),
      source: z.string(),
      reason: z.string(),
      project: z.string(),
      observedAt: instant,
      raw: z.string(),
    }),
  ),
});

/** What became of the lines of one ingest request. Lines that are kept or already there aren't listed. */
export const restIngest = z.object({
  stored: z.number().int(),
  duplicates: z.number().int(),
  dropped: z.number().int(),
  quarantined: z.number().int(),
  verdicts: z.array(
    z.object({
      line: z.number().int().meta({ description: 'From 1' }),
      fate: z.enum(['dropped', 'quarantined']),
      reason: z.string(),
    }),
  ),
});

/** What a person, or a page, brings to sign in: a token, or the secret of the one-time link. */
export const restSignIn = z.union([
  z.object({ token: z.string().min(1).max(200) }).strict(),
  z.object({ link: z.string().min(1).max(200) }).strict(),
]);
export const restSession = z.object({
  required: z.boolean().meta({ description: 'Whether this Tollgate asks for tokens' }),
  label: z.string(),
  scopes: z.array(z.enum(['ingest', 'read', 'quota-check', 'admin'])),
  projects: z
    .array(z.string())
    .nullable()
    .meta({ description: 'The only projects that the token sees; null for all' }),
  expiresAt: instant.nullable(),
});

export const restStatus = z.object({
  version: z.string(),
  mode: z.enum(['demo', 'start']),
  now: instant,
  startedAt: instant,
});

export const restProblem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  instance: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  reasons: z.array(restLimitReason).optional(),
});

export type RestIngest = z.infer<typeof restIngest>;
export type Verdict = (typeof VERDICTS)[number];
export type QuotaReason = (typeof QUOTA_REASONS)[number];
