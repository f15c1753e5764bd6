import type { Offset } from '../../../../shared/contracts/progress-record.ts';
import type { Instant } from '../../../../shared/values/instant.ts';
import type { OffsetSample } from './judge-offsets.ts';

export interface PartitionSample extends OffsetSample {
  readonly topic: string;
  readonly partition: string;
  readonly end: Offset;
}

/** What is remembered of one batch. */
export interface WindowBatch {
  readonly run: string;
  readonly batch: number | null;
  readonly idle: boolean;
  readonly start: Instant;
  readonly end: Instant;
  /** By {@link partitionKey}. */
  readonly partitions: ReadonlyMap<string, PartitionSample>;
}

export interface RunState {
  readonly run: string;
  readonly application: string;
  /** Undefined until a record tells; nothing is stored before, as the name is part of the series. */
  readonly name: string | null | undefined;
  /** Earliest sign of the run: orders runs. Null while only its end is known. */
  readonly firstAt: Instant | null;
  /** Latest sign of life by the run's own clock. */
  readonly lastAt: Instant | null;
  /** When the query last said that there was nothing to read. */
  readonly idleAt: Instant | null;
  /** Latest time at which state and verdicts were stored; a later change must not go before it. */
  readonly judgedAt: Instant | null;
  readonly ended: 'terminated' | 'failed' | null;
  readonly silent: boolean;
}

export interface QueryPlace {
  readonly project: string;
  readonly cluster: string;
  readonly query: string;
}

/** Everything a query's verdicts come from; immutable, so that a failed write changes nothing. */
export interface QueryState extends QueryPlace {
  /** By first sign, oldest first; the last one is the query's run now. */
  readonly runs: readonly RunState[];
  /** By end. Spans runs, since offsets do. */
  readonly window: readonly WindowBatch[];
}

export interface WindowLimits {
  /** Batches that a verdict looks back. */
  readonly windowBatches: number;
  /** Time that a verdict looks back, in ms, as long as `minimumBatches` remain. */
  readonly windowMs: number;
  /** Stall and warn are said of no fewer batches. */
  readonly minimumBatches: number;
  /** Silence shorter than this is never silence, in ms. */
  readonly silentAfterMs: number;
  /** Silence lasts at least this many times the longest batch or gap between batches. */
  readonly silentFactor: number;
  /** Partitions of a query that are followed each; the rest counts in the query's lag alone. */
  readonly maxPartitions: number;
}

/** Runs of a query that are remembered. */
export const RUNS = 3;

export function partitionKey(topic: string, partition: string): string {
  return `${topic}\n${partition}`;
}

export function emptyState(of: QueryPlace): QueryState {
  return { ...of, runs: [], window: [] };
}

/** The run that the query is in now: the one that began last. */
export function newestRun(state: QueryState): RunState | undefined {
  return state.runs.at(-1);
}
