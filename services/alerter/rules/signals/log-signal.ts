import { z } from 'zod';
import { LOG_LEVELS } from '../../../../shared/contracts/log-record.ts';
import { span } from '../duration.ts';
import { name, projects } from './signal-filters.ts';

const logFilter = {
  text: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('Words that must all occur; `"…"` is a phrase, `word*` a prefix.'),
  level: z.enum(LOG_LEVELS).optional().describe('This level and worse.'),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'must be the 16 hex digits of a fingerprint')
    .optional()
    .describe("Only lines of this message's template."),
  application: name.optional().describe('Only lines of this application.'),
  by: z.enum(['project', 'application']).default('application').describe('What one subject is.'),
  projects,
};

export const logSignal = z
  .discriminatedUnion('measure', [
    z
      .strictObject({
        kind: z.literal('log'),
        measure: z.literal('count'),
        ...logFilter,
        window: span('How far back lines count.'),
      })
      .describe('Lines in the window.'),
    z
      .strictObject({
        kind: z.literal('log'),
        measure: z.literal('spike'),
        ...logFilter,
        window: span('Length of each of the two windows.'),
        minimum: z
          .number()
          .int()
          .min(1)
          .default(10)
          .describe('Fewer lines in the newer window count as 0: 1 after 0 is no spike.'),
      })
      .describe(
        'Lines in the window over those of the window before it, once both are filled; of 0 before, ' +
          'as if there had been 1.',
      ),
    z
      .strictObject({
        kind: z.literal('log'),
        measure: z.literal('new-fingerprint'),
        ...logFilter,
        by: z.literal('project').default('project').describe('What one subject is part of.'),
        window: span('How far back lines count as new.'),
        lookback: span('How far back before the window the same message may not have been.'),
        learning: span(
          'A project must have had lines for this long before anything is new to it.',
        ).prefault('1h'),
      })
      .describe('Lines of each message that was never seen in the lookback before the window.'),
    z
      .strictObject({
        kind: z.literal('log'),
        measure: z.literal('absence'),
        ...logFilter,
        lookback: span('How far back a last line is looked for.'),
      })
      .describe(
        'Seconds since the last line: of each running application, or of each project that had one ' +
          'in the lookback.',
      ),
  ])
  .describe('Lines of the log store.');
