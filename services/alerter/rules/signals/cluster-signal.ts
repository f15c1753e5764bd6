import { z } from 'zod';
import { span } from '../duration.ts';
import { clusters } from './signal-filters.ts';

export const clusterSignal = z
  .discriminatedUnion('measure', [
    z
      .strictObject({ kind: z.literal('cluster'), measure: z.literal('age'), clusters })
      .describe('Seconds since a running cluster began.'),
    z
      .strictObject({ kind: z.literal('cluster'), measure: z.literal('idle'), clusters })
      .describe(
        'Seconds without any activity: no job, streaming query, stage, session or driver work. A ' +
          'cluster of which one of these is unknown has no value.',
      ),
    z
      .strictObject({
        kind: z.literal('cluster'),
        measure: z.literal('load'),
        window: span('How far back loads count.'),
        clusters,
      })
      .describe('Mean share of the cores that is allocated, in percent.'),
  ])
  .describe('A cluster.');
