import { z } from 'zod';
import { restActivity } from './rest.ts';

const credits = z.string().meta({ description: 'Credits, exact decimal', example: '12.5' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });

export const restSpendingParts = z
  .object({
    useful: credits,
    wasted: credits.meta({ description: 'Failed, killed and speculative tasks, stages run again' }),
    idle: credits.meta({ description: 'Executors without a task' }),
    tail: credits.meta({ description: 'Executors between their last task and their release' }),
    startUp: credits.meta({ description: 'Executors before their first task' }),
    driver: credits,
    applicationMaster: credits,
    untold: credits.meta({ description: 'Executors of which no witness told the slot time' }),
  })
  .meta({ description: 'Add up to what was charged, exactly' });

const spent = z.object({ charged: credits, parts: restSpendingParts });

export const restApplicationSpending = spent.extend({
  cluster: z.string(),
  application: z.string(),
  accrued: credits.meta({ description: 'Used and not charged yet; in no part' }),
  slots: restActivity.nullable().meta({ description: 'By which executors were split' }),
});

export const restProjectSpending = spent.extend({
  project: z.string(),
  from: instant,
  until: instant,
  clusters: z.array(spent.extend({ cluster: z.string() })),
  applications: z
    .array(spent.extend({ cluster: z.string(), application: z.string() }))
    .meta({ description: 'The dearest ones, dearest first' }),
  others: spent
    .extend({ applications: z.number().int() })
    .meta({ description: 'All applications that are not listed, together' }),
});

export const restClusterSpending = spent.extend({
  cluster: z.string(),
  from: instant,
  until: instant,
  projects: z.array(spent.extend({ project: z.string() })).meta({ description: 'Dearest first' }),
  unallocated: credits.meta({
    description:
      'Part of charged: to `unattributed`, since no project could be charged. The rest is projects’',
  }),
  idle: credits.nullable().meta({
    description:
      'Nodes − containers at the base price; null where nobody watches the nodes. No project pays it',
  }),
  total: credits.meta({ description: 'charged + idle' }),
});

export const restStreamCosts = z.object({
  cluster: z.string(),
  application: z.string(),
  from: instant,
  until: instant.meta({ description: 'The last whole hour that may be charged' }),
  charged: credits,
  idle: credits.meta({ description: 'While no micro-batch ran; part of the queries’ credits' }),
  queries: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        batches: z.number().int(),
        rows: z.number(),
        triggerMs: z.number(),
        worked: credits,
        idle: credits,
        perMillionRows: credits
          .nullable()
          .meta({ description: 'Worked and idle; null without rows' }),
        perBatch: credits.nullable(),
      }),
    )
    .meta({ description: 'Worked and idle of all queries add up to what was charged' }),
});
