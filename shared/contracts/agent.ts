import { z } from 'zod';

const count = z.number().int().min(0);

/** What the agent says of a stop that it was ordered; see `StopState`. */
export const agentStop = z.looseObject({
  order: z.string().min(1).max(200),
  state: z.enum(['stopping', 'stopped', 'refused']),
  clean: z.boolean().optional().meta({ description: 'No uncommitted batch was seen' }),
  message: z.string().max(2_000).default(''),
});

/** What the agent of a driver sends every 10 s or so. Members that aren't known are passed over. */
export const agentHeartbeat = z.looseObject({
  protocol: z.number().int().min(1),
  agent: z.string().max(100).default('').meta({ description: 'Version of the agent' }),
  spark: z.string().max(100).default(''),
  application: z.string().min(1).max(256),
  attempt: z.string().max(64).default(''),
  at: count.meta({ description: 'By the driver’s clock, ms since 1970' }),
  ended: z.boolean().default(false),
  containers: count.default(0).meta({ description: 'That are open' }),
  dropped: z
    .record(z.string().max(64), count)
    .default({})
    .meta({ description: 'Lines lost since the start of the driver, by collector' }),
  stop: agentStop.optional(),
});

/** The answer: what the agent should do. An agent does an order once, however often it comes. */
export const agentOrders = z.object({
  orders: z.array(
    z.object({
      id: z.string(),
      kind: z.literal('stop'),
      withinMs: count.meta({
        description: 'Queries without a boundary by then are stopped anyway',
      }),
      force: z.boolean().meta({ description: 'Even where a checkpoint isn’t on durable storage' }),
    }),
  ),
});

export type AgentHeartbeat = z.output<typeof agentHeartbeat>;
export type AgentOrders = z.output<typeof agentOrders>;
