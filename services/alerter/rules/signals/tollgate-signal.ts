import { z } from 'zod';
import { span } from '../duration.ts';

/** What is watched of Tollgate itself. */
export const tollgateSignal = z
  .discriminatedUnion('measure', [
    z
      .strictObject({ kind: z.literal('tollgate'), measure: z.literal('ingestion-lag') })
      .describe("Seconds between now and what a cluster's facts are metered up to."),
    z
      .strictObject({ kind: z.literal('tollgate'), measure: z.literal('source-silence') })
      .describe('Seconds since a source last brought a record.'),
    z
      .strictObject({
        kind: z.literal('tollgate'),
        measure: z.literal('quarantine-growth'),
        window: span('How far back refused records count.'),
      })
      .describe('Records that a collector has put into quarantine in the window.'),
    z
      .strictObject({ kind: z.literal('tollgate'), measure: z.literal('store-unreachable') })
      .describe('1 for a store that does not answer, else 0.'),
    z
      .strictObject({ kind: z.literal('tollgate'), measure: z.literal('outbox-age') })
      .describe('Seconds that the oldest undelivered notification waits.'),
    z
      .strictObject({
        kind: z.literal('tollgate'),
        measure: z.literal('unattributed-share'),
        window: span('Over which past the share is taken; whole hours.').refine(
          (ms) => ms >= 3_600_000,
          'must be at least 1h',
        ),
      })
      .describe('Percent of all charges that no project is known for.'),
    z
      .strictObject({ kind: z.literal('tollgate'), measure: z.literal('evaluation-lag') })
      .describe('Seconds by which the rule that waits longest is late.'),
    z
      .strictObject({ kind: z.literal('tollgate'), measure: z.literal('watchdog') })
      .describe(
        'Always 1: an alert that always fires, whose absence elsewhere tells of an outage.',
      ),
  ])
  .describe('Tollgate itself.');
