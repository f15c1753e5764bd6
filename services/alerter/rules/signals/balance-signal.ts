import { z } from 'zod';
import { span } from '../duration.ts';
import { projects } from './signal-filters.ts';

export const balanceSignal = z
  .discriminatedUnion('measure', [
    z
      .strictObject({
        kind: z.literal('balance'),
        measure: z.literal('used-percent'),
        projects,
      })
      .describe('Charged, accrued and reserved, in percent of what is granted.'),
    z
      .strictObject({ kind: z.literal('balance'), measure: z.literal('remaining'), projects })
      .describe('Credits that are left; below zero they are owed.'),
    z
      .strictObject({
        kind: z.literal('balance'),
        measure: z.literal('burn-rate'),
        trailing: span('Over how much of the past the mean goes; whole hours.').refine(
          (ms) => ms >= 3_600_000,
          'must be at least 1h',
        ),
        minimum: z
          .number()
          .min(0)
          .default(0)
          .describe('Credits an hour below which it counts as 0: twice nothing is nothing.'),
        projects,
      })
      .describe('Credits an hour now over their mean in the hours before.'),
    z
      .strictObject({
        kind: z.literal('balance'),
        measure: z.literal('hours-left'),
        days: z
          .number()
          .int()
          .min(3)
          .max(92)
          .default(28)
          .describe('How many past days the forecast draws from.'),
        projects,
      })
      .describe('Hours until credits end in the median forecast; none where they last.'),
  ])
  .describe("A project's credits.");
