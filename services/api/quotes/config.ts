import { z } from 'zod';
import { FAIL_MODES } from '../../../shared/contracts/rest-quote.ts';
import { isProjectId } from '../../../shared/values/project-id.ts';

/** Quotes and price promises. */
export const quotesConfig = z
  .object({
    lockMaxMinutes: z
      .number()
      .int()
      .min(1)
      .max(10_080)
      .default(60)
      .describe('Longest time that a price is promised for, in minutes; more is cut to it.'),
    locksMax: z
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(100)
      .describe('Most locked prices that a project has at once.'),
    failMode: z
      .enum(FAIL_MODES)
      .default('open')
      .describe(
        'What "tollgate run" does while no Tollgate answers: open starts the job, closed does not.',
      ),
    failModes: z
      .record(z.string().refine(isProjectId, 'is no project id'), z.enum(FAIL_MODES))
      .default({})
      .describe('The same by project, where it is another.'),
  })
  .prefault({})
  .describe('Quotes and locked prices.');

export type QuotesConfig = z.infer<typeof quotesConfig>;
