import { z } from 'zod';

/** Why a price is what it is, and the switch that holds it. Units and instants as in rest.ts. */
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:30:00.000Z' });
const demand = z.object({ cores: z.number(), memoryMib: z.number(), gpus: z.number() });

export const restPriceWhy = z.object({
  text: z.string().meta({ description: 'The reason as a sentence' }),
  share: z
    .number()
    .nullable()
    .meta({ description: 'Share of capacity in demand then, of the scarcest resource' }),
  load: z.number().meta({ description: 'The same, smoothed' }),
  target: z.string().meta({ description: 'Multiplier that the load asked for', example: '1.37' }),
  allocated: demand,
  pending: demand.meta({ description: 'What counts of it: aged, and capped for each project' }),
  capacity: demand.meta({ description: 'With what autoscalers may still add' }),
});

export const restPriceFreeze = z.object({
  id: z.string(),
  pool: z.string(),
  frozen: z.boolean(),
  reason: z.string(),
  orderedBy: z.string().meta({ description: 'Label of the token that ordered it' }),
  orderedAt: instant,
});

export const restPriceFreezeRequest = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: 'Given by the caller, so that sending it again does nothing twice' }),
  frozen: z.boolean().meta({ description: 'true holds the price where it is, false frees it' }),
  reason: z.string().trim().min(1).max(500),
});

export const restPriceFreezes = z.object({ freezes: z.array(restPriceFreeze) });

/** What was thought about a price in the last minute, for who asks why. */
export const restPriceThought = z.object({
  at: instant,
  why: restPriceWhy,
  freeze: restPriceFreeze.nullable().meta({ description: 'The last switch, on or off' }),
});
