import { z } from 'zod';
import { names } from './signal-filters.ts';

export const priceSignal = z
  .strictObject({
    kind: z.literal('price'),
    pools: names.optional().describe('Only these pools; without it all.'),
  })
  .describe('Price multiplier of a pool, such as 1.15.');
