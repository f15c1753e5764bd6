import { z } from 'zod';

/** Answers about who saw what, and how sure that is; conventions as in rest.ts. */
const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });

/** How sure a total is: the three add up to it. */
export const restCoverage = z
  .object({
    exact: credits.meta({ description: 'Start and stop were seen' }),
    inferred: credits.meta({ description: 'An end was concluded from silence or its application' }),
    estimated: credits.meta({ description: 'Accrued by containers that still run' }),
  })
  .meta({ description: 'How sure the total is; the three add up to charged + accrued' });

/** What an application's containers came to, by what became of them. */
export const restOutcomes = z.object({
  outcomes: z.array(
    z.object({
      outcome: z.enum(['', 'never-run', 'preempted', 'application-master', 'retried-attempt']),
      role: z.string(),
      attempt: z.string(),
      containers: z.number().int(),
      containerMs: z.string(),
      charged: credits,
    }),
  ),
});

/** What was journaled and isn't charged as it stands, or isn't believed. */
export const restAnomalies = z.object({
  anomalies: z.array(
    z.object({
      anomaly: z.string().meta({ example: 'witnesses-disagree' }),
      cluster: z.string(),
      application: z.string(),
      container: z.string().nullable().meta({ description: 'null: the application itself' }),
      fact: z.string().meta({ description: 'Id of the fact that shows it' }),
      at: instant,
      disagreement: z
        .object({
          what: z.enum(['start', 'stop']),
          told: z.array(z.object({ witness: z.string(), at: instant })),
          apartMs: z.number().int(),
        })
        .nullable()
        .meta({ description: 'What each witness says, most trusted first' }),
      claim: z
        .object({ project: z.string(), user: z.string(), queue: z.string() })
        .nullable()
        .meta({ description: 'The project that it named, and as whom' }),
    }),
  ),
  cursor: z.string().nullable(),
});

/** How far the clocks of a cluster's witnesses are apart, estimated over its newest containers. */
export const restClockSkew = z.object({
  cluster: z.string(),
  skews: z.array(
    z.object({
      witness: z.string(),
      reference: z.string().meta({ description: 'The more trusted witness it is measured by' }),
      host: z.string().nullable().meta({ description: 'null: the clock is the cluster’s' }),
      offsetMs: z
        .number()
        .int()
        .nullable()
        .meta({ description: 'Median of witness minus reference; null with too few differences' }),
      spreadMs: z.number().int().nullable(),
      differences: z.number().int(),
    }),
  ),
});

const resourceMs = z.object({
  millicoreMs: z.string().meta({ description: 'Thousandths of a core × ms, exact' }),
  mibMs: z.string(),
  gpuMs: z.string(),
});

/**
 * Nodes − containers = idle, and containers − unallocated is what projects pay for. To the unit, each
 * UTC hour; idle is negative where more was granted than is there.
 */
export const restClusterIdle = z.object({
  cluster: z.string(),
  from: instant.meta({ description: 'Whole UTC hours' }),
  until: instant,
  knownUntil: instant.nullable().meta({
    description: 'Nodes were last heard of then; what is later is not counted',
  }),
  hours: z.array(
    z.object({
      hour: instant,
      nodes: resourceMs,
      containers: resourceMs,
      unallocated: resourceMs.meta({
        description: 'Part of containers: of applications that no project could be charged for',
      }),
      idle: resourceMs,
      provisional: z
        .boolean()
        .meta({ description: 'The hour is not over, or containers of it are not charged yet' }),
    }),
  ),
  total: z.object({
    nodes: resourceMs,
    containers: resourceMs,
    unallocated: resourceMs,
    idle: resourceMs,
  }),
});
