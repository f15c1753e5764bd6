import type { JournalFact } from '../../../shared/contracts/container-fact.ts';
import type { JournalBatch, JournalWriter } from '../../../shared/stores/journal.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { createDeliver, type DeliverDeps } from '../core/deliver.ts';

export interface RecordOutcome {
  readonly stored: number;
  readonly duplicates: number;
  /** Facts whose id is taken by another body; the first one stands. */
  readonly conflicts: readonly JournalFact[];
}

export interface RecordedBatch extends Partial<JournalBatch> {
  readonly quarantined?: readonly QuarantinedRecord[];
  /** Counts of records dropped before this, by reason. */
  readonly dropped?: ReadonlyMap<string, number>;
}

/** Stores facts with their checkpoints, durably, and counts their fates. */
export type RecordFacts = (batch: RecordedBatch, signal: AbortSignal) => Promise<RecordOutcome>;

export interface RecordFactsDeps extends Omit<DeliverDeps, 'collector'> {
  readonly journal: JournalWriter;
}

/**
 * The one door of this collector to the journal. A fact that is there already counts as dropped
 * (`duplicate`), and so does one whose id is taken by another body (`first-stands`): what to do
 * about the latter is the caller's.
 */
export function createRecordFacts(deps: RecordFactsDeps): RecordFacts {
  const { journal, clock } = deps;
  const deliver = createDeliver({ ...deps, collector: 'containers' });
  const dropped = deps.metrics.counter(
    'tollgate_records_total',
    'Records by collector, fate, reason.',
  );
  const again = (reason: string, count: number): void => {
    if (count > 0) dropped({ collector: 'containers', fate: 'dropped', reason }, count);
  };
  return async (batch, signal) => {
    const { facts = [], evidence = [], activity = [], checkpoints = [] } = batch;
    const result = await deliver(
      {
        store: () => journal.record({ facts, evidence, activity, checkpoints }, clock.now()),
        quarantined: batch.quarantined ?? [],
        kept: 0,
        dropped: batch.dropped ?? new Map(),
      },
      signal,
    );
    const kept = result.stored + evidence.length;
    if (kept > 0) dropped({ collector: 'containers', fate: 'kept', reason: '' }, kept);
    again('duplicate', result.duplicates);
    again('first-stands', result.conflicts.length);
    return result;
  };
}
