import { z } from 'zod';
import { span } from '../duration.ts';
import { clusters, names, projects } from './signal-filters.ts';

const streamFilter = {
  names: names.optional().describe('Globs; the query has one of these names.'),
  projects,
  clusters,
};

export const streamSignal = z
  .discriminatedUnion('measure', [
    z
      .strictObject({ kind: z.literal('stream'), measure: z.literal('verdict'), ...streamFilter })
      .describe('Progress verdict: ok 0, warn 1, stall 2, stop 3, rewind 4.'),
    z
      .strictObject({ kind: z.literal('stream'), measure: z.literal('state'), ...streamFilter })
      .describe("State of the query's last run: running 0, terminated 1, failed 2, silent 3."),
    z
      .strictObject({ kind: z.literal('stream'), measure: z.literal('lag'), ...streamFilter })
      .describe('Records behind, over all topics.'),
    z
      .strictObject({ kind: z.literal('stream'), measure: z.literal('silence'), ...streamFilter })
      .describe('Seconds since a running query last reported.'),
    z
      .strictObject({
        kind: z.literal('stream'),
        measure: z.literal('trigger-share'),
        ...streamFilter,
        window: span('How far back triggers count.'),
        interval: span(
          'The trigger interval; without it it is taken from when batches began, where that is regular.',
        ).optional(),
      })
      .describe("Median duration of triggers over the query's trigger interval."),
    z
      .strictObject({
        kind: z.literal('stream'),
        measure: z.literal('state-growth'),
        ...streamFilter,
        window: span('Its first third is compared with its last.'),
        minimum: z
          .number()
          .int()
          .min(1)
          .default(100_000)
          .describe('State rows below which it counts as 0: a small state doubles soon.'),
      })
      .describe('Percent that the state store has grown by within the window.'),
  ])
  .describe('A streaming query.');
