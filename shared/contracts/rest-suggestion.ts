import { z } from 'zod';

const credits = z.string().meta({ description: 'Credits, exact decimal', example: '1200' });
const instant = z
  .string()
  .meta({ description: 'UTC instant', example: '2026-11-21T09:00:00.000Z' });

/** Limits that would have let 95 % of the past through. */
export const restQuotaSuggestion = z.object({
  project: z.string(),
  from: instant,
  until: instant,
  headroomPercent: z.number().int(),
  hours: z.number().int().meta({ description: 'From its first use in the window to its end' }),
  weeks: z.number().int().meta({ description: 'Whole weeks; 0 where less was scaled up to one' }),
  growth: z.string().meta({ description: 'Newer : older weeks, 1.00 to 2.00', example: '1.25' }),
  charged: credits,
  monthlyBudget: credits,
  cores: z.number(),
  reservationPerHour: credits.meta({ description: 'To hold for each hour of an unbounded job' }),
});
