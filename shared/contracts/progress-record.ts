import type { Instant } from '../values/instant.ts';
import { VERDICTS, type Verdict } from './rest.ts';

/** An offset: a number while it is a safe integer, a bigint beyond, so that equal offsets are `===`. */
export type Offset = number | bigint;

/** Offsets of one partition in one batch; null is what the source doesn't tell. */
export interface PartitionOffsets {
  readonly topic: string;
  readonly partition: string;
  readonly start: Offset | null;
  readonly end: Offset | null;
  readonly latest: Offset | null;
}

export interface ProgressSource {
  readonly description: string;
  /** What the description begins with: `KafkaV2`, `FileStreamSource`, `RateStreamV2` … */
  readonly kind: string;
  readonly inputRows: number | null;
  readonly inputRowsPerSecond: number | null;
  readonly processedRowsPerSecond: number | null;
  /** Sorted by topic and partition; empty for sources without partitions. */
  readonly partitions: readonly PartitionOffsets[];
  /** The source's own numbers, such as `maxOffsetsBehindLatest`; those that are no number are left out. */
  readonly metrics: Readonly<Record<string, number>>;
}

interface OfRun {
  /** Query id: survives restarts. Spark 2.0 knew numbers only: `spark-2.0-<n>`. */
  readonly query: string;
  /** Run id: new with every start. */
  readonly run: string;
  /** From the sender, or '' when the record doesn't tell. */
  readonly application: string;
}

/** One micro-batch report of a streaming query, the same whichever dialect it came in. */
export interface ProgressRecord extends OfRun {
  readonly kind: 'progress';
  readonly name: string | null;
  /** Null in reports of Spark 2.1 and older. Repeats when a batch is run again. */
  readonly batch: number | null;
  /** Start of the trigger, which is what Spark calls `timestamp`. */
  readonly start: Instant;
  /** The batch's time: start + trigger duration. */
  readonly end: Instant;
  readonly triggerMs: number;
  readonly inputRows: number | null;
  readonly inputRowsPerSecond: number | null;
  readonly processedRowsPerSecond: number | null;
  /** Spark's `durationMs`: `triggerExecution`, `addBatch`, `latestOffset` … */
  readonly durationsMs: Readonly<Record<string, number>>;
  readonly sources: readonly ProgressSource[];
  /** Sum over stateful operators; null without any. */
  readonly state: { readonly rows: number; readonly bytes: number | null } | null;
  readonly watermark: Instant | null;
  /** End − watermark; null until the watermark has left 1970. Negative when event times are ahead. */
  readonly watermarkDelayMs: number | null;
  readonly sink: { readonly description: string; readonly rows: number | null };
  /** Nothing to read: a trigger without rows that ran no batch (what Spark sent before 3.5). */
  readonly idle: boolean;
  /** Names of expected fields that neither stood there nor could be derived. */
  readonly missing: readonly string[];
}

export interface LifecycleRecord extends OfRun {
  /** `trigger`: a batch began (Spark 4.2), a sign of life. */
  readonly kind: 'started' | 'idle' | 'trigger' | 'terminated';
  /** Undefined when the event doesn't carry a name; null for a query without one. */
  readonly name: string | null | undefined;
  /** Null for an end, which Spark doesn't date. */
  readonly at: Instant | null;
  /** Masked and cut; null for a clean stop. */
  readonly exception: string | null;
  readonly errorClass: string | null;
}

export type StreamingRecord = ProgressRecord | LifecycleRecord;

/** State of a query's run; the index is the number in the metric store. */
export const QUERY_STATES = ['running', 'terminated', 'failed', 'silent'] as const;
export type QueryRunState = (typeof QUERY_STATES)[number];

/** Number of a verdict in the metric store: ok 0, warn 1, stall 2, stop 3, rewind 4; a larger one is worse. */
export function verdictCode(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}

/** Number of a run's state in the metric store. */
export function queryStateCode(state: QueryRunState): number {
  return QUERY_STATES.indexOf(state);
}
