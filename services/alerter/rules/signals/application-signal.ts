import { z } from 'zod';
import { span } from '../duration.ts';
import { clusters, names, projects, tags } from './signal-filters.ts';

/** What an application is, by which timeouts differ. */
export const APPLICATION_KINDS = ['batch', 'stream', 'notebook', 'thrift', 'connect'] as const;
export type ApplicationKind = (typeof APPLICATION_KINDS)[number];

const applicationFilter = {
  kinds: z
    .array(z.enum(APPLICATION_KINDS))
    .min(1)
    .optional()
    .describe('Only applications of these kinds; without it all.'),
  names: names.optional().describe('Globs; the application has one of these names.'),
  tags,
  projects,
  clusters,
};

const runs = {
  runs: z
    .number()
    .int()
    .min(3)
    .max(100)
    .default(14)
    .describe('How many of the last runs the median is of.'),
  minimum_runs: z
    .number()
    .int()
    .min(2)
    .max(100)
    .default(5)
    .describe('With fewer there is no value: two runs are no habit.'),
  window: span('How long after its end an application is still looked at.'),
};

export const applicationSignal = z
  .discriminatedUnion('measure', [
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('run-time'),
        ...applicationFilter,
      })
      .describe('Seconds since a running application began.'),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('cost'),
        ...applicationFilter,
      })
      .describe('Credits that a running application has cost so far.'),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('idle'),
        ...applicationFilter,
        lookback: span('How far back activity is looked for.').prefault('1d'),
      })
      .describe('Seconds for which a running application has held executors without work.'),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('failed'),
        ...applicationFilter,
        window: span('How long after its end a failure is told.'),
        lines: z.number().int().min(0).max(20).default(5).describe('Last log lines to tell.'),
      })
      .describe('1 for an application that ended in failure.'),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('failures'),
        ...applicationFilter,
        window: span('How far back failures count.'),
      })
      .describe('Failed runs of one workload (project, cluster, name) since its last success.'),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('cost-ratio'),
        ...applicationFilter,
        ...runs,
        minimum: z
          .number()
          .min(0)
          .default(0)
          .describe('Credits below which it counts as 0: twice nothing is nothing.'),
      })
      .describe("Credits of a run over the median of its workload's last runs."),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('duration-ratio'),
        ...applicationFilter,
        ...runs,
        minimum: span('Shorter runs count as 0: a minute is soon two.').prefault('1m'),
      })
      .describe("Duration of a run over the median of its workload's last runs."),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('executor-losses'),
        ...applicationFilter,
        window: span('How far back losses count.'),
      })
      .describe('Executors that a running application lost in the window.'),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('driver-silence'),
        ...applicationFilter,
      })
      .describe('Seconds since the driver of a running application was last seen alive.'),
    z
      .strictObject({
        kind: z.literal('application'),
        measure: z.literal('unreserved'),
        ...applicationFilter,
      })
      .describe('Seconds for which a running application has run without a reservation.'),
  ])
  .describe('An application.');
