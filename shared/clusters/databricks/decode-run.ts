import type { Instant } from '../../values/instant.ts';
import type { SeenApplication } from '../cluster-reader.ts';
import {
  field,
  instantOf,
  isObject,
  type JsonObject,
  objectAt,
  objectsIn,
  text,
} from '../lenient-json.ts';

/** A run of a job. Source: `BaseRun` of API 2.2 (databricks/databricks-sdk-py, service/jobs.py). */
export interface DatabricksRun {
  /** Decimal digits: int64, beyond 2^53. */
  readonly id: string;
  readonly job: string;
  readonly name: string;
  readonly user: string;
  readonly url: string;
  /** Undefined where it says nothing that is known, or contradicts itself. */
  readonly state: SeenApplication['state'] | undefined;
  /** `CANCELED`, `RUN_EXECUTION_ERROR`; '' while it runs. */
  readonly finalState: string;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  /** Clusters that it or its tasks run on, as far as they are there. */
  readonly clusters: readonly string[];
  /** More tasks than were listed: clusters may be missing. */
  readonly hasMore: boolean;
}

const RUN_ID = /^[1-9]\d{0,18}$/;

export function isRunId(id: string): boolean {
  return RUN_ID.test(id);
}

/** An int64 as digits, whether it was written as a number or as text; '' for anything else. */
function digits(row: JsonObject, key: string): string {
  const value = field(row, key);
  const written =
    typeof value === 'string' || typeof value === 'bigint' || Number.isSafeInteger(value);
  return written && RUN_ID.test(String(value)) ? String(value) : '';
}

const STATES: Readonly<Record<string, SeenApplication['state']>> = {
  QUEUED: 'waiting',
  PENDING: 'waiting',
  BLOCKED: 'waiting',
  WAITING: 'waiting',
  WAITING_FOR_RETRY: 'waiting',
  RUNNING: 'running',
  TERMINATING: 'running',
  TERMINATED: 'ended',
  SKIPPED: 'ended',
  INTERNAL_ERROR: 'ended',
};

function known(written: string): SeenApplication['state'] | undefined {
  return Object.hasOwn(STATES, written) ? STATES[written] : undefined;
}

/** `status` came with API 2.2, `state` is the older form; both say the same of a real run. */
function stateOf(row: JsonObject): SeenApplication['state'] | undefined {
  const now = text(objectAt(row, 'status'), 'state');
  const older = text(objectAt(row, 'state'), 'life_cycle_state');
  if (now === '' || older === '') return known(now === '' ? older : now);
  const states = [known(now), known(older)];
  return states[0] === states[1] ? states[0] : undefined;
}

function clustersOf(row: JsonObject): string[] {
  const rows = [row, ...objectsIn(field(row, 'tasks'))];
  const ids = rows.flatMap((one) => [
    text(objectAt(one, 'cluster_instance'), 'cluster_id', 100),
    text(one, 'existing_cluster_id', 100),
  ]);
  return [...new Set(ids.filter((id) => id !== ''))];
}

/** Undefined for a row without a run id. */
export function decodeRun(row: unknown): DatabricksRun | undefined {
  if (!isObject(row)) return undefined;
  const id = digits(row, 'run_id');
  if (id === '') return undefined;
  const state = stateOf(row);
  const ended = state === 'ended';
  const details = objectAt(row, 'status', 'termination_details');
  const result = text(objectAt(row, 'state'), 'result_state', 100) || text(details, 'code', 100);
  return {
    id,
    job: digits(row, 'job_id'),
    name: text(row, 'run_name', 4_096),
    user: text(row, 'creator_user_name'),
    url: text(row, 'run_page_url', 4_000),
    state,
    finalState: ended ? result : '',
    startedAt: instantOf(row, 'start_time'),
    endedAt: ended ? instantOf(row, 'end_time') : undefined,
    clusters: clustersOf(row),
    hasMore: field(row, 'has_more') === true || text(row, 'next_page_token') !== '',
  };
}

export interface RunPage {
  readonly runs: readonly DatabricksRun[];
  readonly unusable: number;
  /** '' on the last page. */
  readonly next: string;
}

/**
 * A page of `jobs/runs/list`; undefined when it is something else. A page may be empty and have
 * another one after it; `has_more: false` ends the list though a token is given.
 */
export function decodeRunPage(answer: unknown): RunPage | undefined {
  if (!isObject(answer)) return undefined;
  const rows = field(answer, 'runs') ?? [];
  if (!Array.isArray(rows)) return undefined;
  const decoded = rows.map(decodeRun);
  const runs = decoded.filter((one) => one !== undefined);
  const isLast = field(answer, 'has_more') === false;
  return {
    runs,
    unusable: decoded.length - runs.length,
    next: isLast ? '' : text(answer, 'next_page_token', 4_000),
  };
}

/** A run as an application of the journal. */
export function applicationOf(
  run: DatabricksRun,
  state: SeenApplication['state'],
): SeenApplication {
  const cluster = run.clusters.length === 1 ? { 'databricks-cluster': run.clusters[0] ?? '' } : {};
  return {
    application: run.id,
    attempt: '',
    name: run.name,
    user: run.user,
    queue: '',
    tags: { ...(run.job === '' ? {} : { 'databricks-job': run.job }), ...cluster },
    url: run.url,
    state,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    endedAttempts: new Map(),
  };
}
