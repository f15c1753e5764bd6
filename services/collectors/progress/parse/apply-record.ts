import type {
  LifecycleRecord,
  ProgressRecord,
  StreamingRecord,
} from '../../../../shared/contracts/progress-record.ts';
import type { Instant } from '../../../../shared/values/instant.ts';
import { extendWindow } from './extend-window.ts';
import { judgeQuery, silenceMs } from './judge-query.ts';
import {
  newestRun,
  type QueryState,
  RUNS,
  type RunState,
  type WindowBatch,
  type WindowLimits,
} from './query-state.ts';
import { batchReadings, type Reading, verdictReadings } from './readings.ts';

export interface Applied {
  readonly state: QueryState;
  /** What is to be stored for it. */
  readonly readings: readonly Reading[];
  /** The record said nothing new. */
  readonly duplicate: boolean;
}

function earliest(a: Instant | null, b: Instant): Instant {
  return a === null ? b : Math.min(a, b);
}

function latest(a: Instant | null, b: Instant): Instant {
  return a === null ? b : Math.max(a, b);
}

function lived(run: RunState, from: Instant, until: Instant): RunState {
  const lastAt = latest(run.lastAt, until);
  return {
    ...run,
    firstAt: earliest(run.firstAt, from),
    lastAt,
    silent: run.silent && lastAt === run.lastAt,
  };
}

function withProgress(run: RunState, record: ProgressRecord): RunState {
  return { ...lived(run, record.start, record.end), name: run.name ?? record.name };
}

function withLifecycle(run: RunState, record: LifecycleRecord): RunState {
  const { kind, at, exception } = record;
  let next = at === null ? run : lived(run, at, at);
  if (record.name !== undefined) next = { ...next, name: run.name ?? record.name };
  if (kind === 'idle' && at !== null) next = { ...next, idleAt: latest(run.idleAt, at) };
  if (kind !== 'terminated') return next;
  const failed = exception !== null || run.ended === 'failed';
  return { ...next, ended: failed ? 'failed' : 'terminated', silent: false };
}

function compareRuns(a: RunState, b: RunState): number {
  const [first, second] = [a.firstAt ?? 0, b.firstAt ?? 0];
  return first - second || (a.run < b.run ? -1 : 1);
}

function withRun(state: QueryState, run: RunState): QueryState {
  const others = state.runs.filter((other) => other.run !== run.run);
  return { ...state, runs: [...others, run].sort(compareRuns) };
}

/** Judges a run and dates the verdict: at its last sign of life, never before an earlier verdict. */
function judged(
  state: QueryState,
  id: string,
  past: readonly WindowBatch[],
  limits: WindowLimits,
): { state: QueryState; readings: Reading[] } {
  const run = state.runs.find((candidate) => candidate.run === id);
  if (run === undefined || run.lastAt === null || run.name === undefined) {
    return { state, readings: [] };
  }
  const at = latest(run.judgedAt, run.lastAt);
  const readings = verdictReadings(run, judgeQuery(state, run, past, limits), at);
  return { state: withRun(state, { ...run, judgedAt: at }), readings };
}

function newRun({ run, application }: StreamingRecord): RunState {
  return {
    run,
    application,
    name: undefined,
    firstAt: null,
    lastAt: null,
    idleAt: null,
    judgedAt: null,
    ended: null,
    silent: false,
  };
}

/**
 * A query's state after one more record. Records may come late, twice and in any order: what is
 * stored last is the same.
 */
export function applyRecord(
  before: QueryState,
  record: StreamingRecord,
  limits: WindowLimits,
): Applied {
  const known = before.runs.find(({ run }) => run === record.run);
  const run = known ?? newRun(record);
  let state: QueryState;
  let duplicate: boolean;
  let past: readonly WindowBatch[] = [];
  let readings: readonly Reading[] = [];
  if (record.kind === 'progress') {
    const extended = extendWindow(before.window, record, limits);
    const next = withProgress(run, record);
    state = withRun({ ...before, window: extended.window }, next);
    duplicate = extended.duplicate;
    past = extended.past;
    readings = batchReadings(record, next, limits.maxPartitions);
  } else {
    const next = withLifecycle(run, record);
    state = withRun(before, next);
    duplicate = known !== undefined && JSON.stringify(next) === JSON.stringify(known);
  }
  const toJudge = new Set([record.run, newestRun(before)?.run, newestRun(state)?.run]);
  for (const id of toJudge) {
    if (id === undefined) continue;
    const result = judged(state, id, past, limits);
    state = result.state;
    readings = readings.concat(result.readings);
  }
  return { state: { ...state, runs: state.runs.slice(-RUNS) }, readings, duplicate };
}

/**
 * Takes a query that should have spoken by `now` for silent, dated when its silence became one, so
 * that the same silence is stored the same whenever it is noticed. Undefined when there is nothing to say.
 *
 * @param heardAt when a record of it last arrived here, by our clock: a cluster whose clock is
 *   behind, or a backlog that is being read, is no silence
 */
export function applySilence(
  state: QueryState,
  now: Instant,
  heardAt: Instant,
  limits: WindowLimits,
): Applied | undefined {
  const run = newestRun(state);
  if (run === undefined || run.lastAt === null || run.ended !== null || run.silent)
    return undefined;
  const patience = silenceMs(state, limits);
  if (now - Math.max(run.lastAt, heardAt) <= patience) return undefined;
  const silent = { ...run, silent: true, judgedAt: latest(run.judgedAt, run.lastAt + patience) };
  const result = judged(withRun(state, silent), run.run, [], limits);
  return { ...result, duplicate: false };
}
