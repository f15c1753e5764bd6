import type { QueryRunState } from '../../../../shared/contracts/progress-record.ts';
import { verdictCode } from '../../../../shared/contracts/progress-record.ts';
import type { Verdict } from '../../../../shared/contracts/rest.ts';
import { judgeOffsets } from './judge-offsets.ts';
import {
  newestRun,
  type PartitionSample,
  type QueryState,
  type RunState,
  type WindowBatch,
  type WindowLimits,
} from './query-state.ts';

export interface PartitionVerdict {
  readonly topic: string;
  readonly partition: string;
  readonly verdict: Verdict;
}

export interface QueryVerdict {
  readonly state: QueryRunState;
  /** The worst of its partitions'. */
  readonly verdict: Verdict;
  readonly partitions: readonly PartitionVerdict[];
}

export function worse(a: Verdict, b: Verdict): Verdict {
  return verdictCode(a) >= verdictCode(b) ? a : b;
}

/** Newest batches within the window's time; as many as verdicts need stay, however old. */
function withinTime(window: readonly WindowBatch[], limits: WindowLimits): readonly WindowBatch[] {
  const from = (window.at(-1)?.end ?? 0) - limits.windowMs;
  const recent = window.findIndex(({ end }) => end >= from);
  return window.slice(Math.min(recent, Math.max(0, window.length - limits.minimumBatches)));
}

/**
 * After how much silence, in ms, a query is taken for dead. One long batch says nothing while it
 * runs, so it is measured against what this query's batches took, and the gaps between them.
 */
export function silenceMs(state: QueryState, limits: WindowLimits): number {
  const [first, last] = [state.window[0], state.window.at(-1)];
  const span = first === undefined || last === undefined ? 0 : last.end - first.end;
  let longest = 0;
  for (const [i, { start, end }] of state.window.entries()) {
    const gap = end - (state.window[i - 1]?.end ?? start);
    longest = Math.max(longest, gap, end - start);
  }
  return Math.max(
    limits.silentAfterMs,
    Math.min(span, limits.windowMs),
    Math.ceil(limits.silentFactor * longest),
  );
}

function stateOf(run: RunState, isNewest: boolean): QueryRunState {
  if (run.ended !== null) return run.ended;
  // A later start of the same query ends the run before it, which a killed driver couldn't say.
  if (!isNewest) return 'terminated';
  return run.silent ? 'silent' : 'running';
}

function lastWithPartitions(
  window: readonly WindowBatch[],
  run: string,
): ReadonlyMap<string, PartitionSample> {
  const batch = window.findLast((entry) => entry.run === run && entry.partitions.size > 0);
  return batch?.partitions ?? new Map();
}

/** Partitions of the run's other batches that the last one doesn't have: nothing to judge. */
function vanished(
  batches: readonly WindowBatch[],
  run: string,
  current: ReadonlyMap<string, PartitionSample>,
): PartitionVerdict[] {
  const gone = new Map<string, PartitionVerdict>();
  for (const { run: of, partitions } of batches) {
    if (of !== run) continue;
    for (const [key, { topic, partition }] of partitions) {
      if (!current.has(key)) gone.set(key, { topic, partition, verdict: 'ok' });
    }
  }
  return [...gone.values()];
}

/**
 * State and verdicts of one run. Only the query's newest run is judged while it lives. One that was
 * ended on purpose is ok; one that failed has stopped wherever it left records unread.
 *
 * @param past batches that are no longer in the window, whose partitions may have vanished
 */
export function judgeQuery(
  state: QueryState,
  run: RunState,
  past: readonly WindowBatch[],
  limits: WindowLimits,
): QueryVerdict {
  const isNewest = newestRun(state)?.run === run.run;
  const queryState = stateOf(run, isNewest);
  const current = lastWithPartitions(state.window, run.run);
  const window = withinTime(state.window, limits);
  const lastEnd = state.window.findLast((entry) => entry.run === run.run)?.end;
  const idle = run.idleAt !== null && run.idleAt >= (lastEnd ?? run.idleAt);

  const judge = (key: string, lag: number | null): Verdict => {
    if (!isNewest || queryState === 'terminated') return 'ok';
    const stopped: Verdict = (lag ?? 0) > 0 ? 'stop' : 'ok';
    if (queryState === 'failed') return stopped;
    const samples = window.flatMap(({ partitions }) => partitions.get(key) ?? []);
    const verdict = judgeOffsets(samples, limits.minimumBatches);
    if (verdict === 'rewind') return verdict;
    if (idle) return 'ok';
    return queryState === 'silent' ? worse(stopped, verdict) : verdict;
  };

  const partitions: PartitionVerdict[] = vanished([...past, ...state.window], run.run, current);
  let worst: Verdict = 'ok';
  for (const [key, { topic, partition, lag }] of current) {
    const verdict = judge(key, lag);
    worst = worse(worst, verdict);
    partitions.push({ topic, partition, verdict });
  }
  return { state: queryState, verdict: worst, partitions };
}
