import type { Instant } from '../../values/instant.ts';
import type { ClusterProblemReason } from '../cluster-reader.ts';
import type { DatabricksAnswer, DatabricksClient } from './databricks-client.ts';
import {
  type DatabricksCluster,
  decodeCluster,
  decodeClusterPage,
  isUp,
} from './decode-cluster.ts';
import { decodeEventPage, type ResizeEvent } from './decode-events.ts';
import { type DatabricksRun, decodeRun, decodeRunPage } from './decode-run.ts';

/** Which clusters of a workspace are meant: one by id, those of a name (`etl-*`), or all. */
export interface ClusterSelection {
  readonly clusterId: string | undefined;
  /** A `*` at its end stands for any text. */
  readonly clusterName: string | undefined;
}

/** What was asked for, whole; or that the workspace knows none such; or why it can't be told. */
export type Told<T> =
  | { readonly outcome: 'told'; readonly value: T }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'unknown'; readonly reason: ClusterProblemReason; readonly why: string };

const PAGES_MAX = 100;
const PAGE_SIZE = '100';
const EVENTS_PAGE_SIZE = 500;
const EVENT_PAGES_MAX = 20;
/** The service takes less than 25. */
const RUNS_PAGE_SIZE = '24';
const UP_STATES = ['PENDING', 'RUNNING', 'RESTARTING', 'RESIZING', 'TERMINATING'];

function unknown(reason: ClusterProblemReason, why: string): Told<never> {
  return { outcome: 'unknown', reason, why };
}

/** A missing object is 404, or 400 with these codes and words (INVALID_PARAMETER_VALUE says all sorts). */
function isAbsent(answer: Extract<DatabricksAnswer, { outcome: 'refused' }>): boolean {
  if (answer.code === 'RESOURCE_DOES_NOT_EXIST') return true;
  return answer.code === 'INVALID_PARAMETER_VALUE' && /does not exist/i.test(answer.detail);
}

function notAnswered(answer: Exclude<DatabricksAnswer, { outcome: 'answered' }>): Told<never> {
  if (answer.outcome === 'refused' && isAbsent(answer)) return { outcome: 'absent' };
  return unknown(answer.reason, answer.detail);
}

interface Page<T> {
  readonly rows: readonly T[];
  readonly unusable: number;
  readonly next: string;
}

/** The clusters and runs of a workspace that a selection means. Nothing is ever a part of a list. */
export class DatabricksClusters {
  readonly #client: DatabricksClient;
  readonly #selection: ClusterSelection;

  constructor(client: DatabricksClient, selection: ClusterSelection) {
    this.#client = client;
    this.#selection = selection;
  }

  /** By id in whatever state it is; by name those that are up. */
  async selected(signal: AbortSignal): Promise<Told<readonly DatabricksCluster[]>> {
    const { clusterId } = this.#selection;
    if (clusterId !== undefined) {
      const one = await this.#cluster(clusterId, signal);
      return one.outcome === 'told' ? { outcome: 'told', value: [one.value] } : one;
    }
    const states = UP_STATES.map((state) => ['filter_by.cluster_states', state] as const);
    const query = [['page_size', PAGE_SIZE] as const, ...states];
    const all = await this.#pages('/api/2.1/clusters/list', query, signal, (body) => {
      const page = decodeClusterPage(body);
      return page === undefined ? undefined : { ...page, rows: page.clusters };
    });
    if (all.outcome !== 'told') return all;
    const byId = new Map(all.value.map((one) => [one.id, one]));
    return {
      outcome: 'told',
      value: [...byId.values()].filter((one) => isUp(one) && this.#isSelected(one)),
    };
  }

  /** Runs that aren't over, of the whole workspace. */
  async activeRuns(signal: AbortSignal): Promise<Told<readonly DatabricksRun[]>> {
    const query = [
      ['active_only', 'true'],
      ['expand_tasks', 'true'],
      ['limit', RUNS_PAGE_SIZE],
    ] as const;
    const all = await this.#pages('/api/2.2/jobs/runs/list', query, signal, (body) => {
      const page = decodeRunPage(body);
      return page === undefined ? undefined : { ...page, rows: page.runs };
    });
    if (all.outcome !== 'told') return all;
    return { outcome: 'told', value: [...new Map(all.value.map((run) => [run.id, run])).values()] };
  }

  /** Resizes of a cluster in `[from, until)`, newest first. */
  async resizes(
    id: string,
    { from, until }: { readonly from: Instant; readonly until: Instant },
    signal: AbortSignal,
  ): Promise<Told<readonly ResizeEvent[]>> {
    const path = '/api/2.1/clusters/events';
    const asked = { cluster_id: id, start_time: from, end_time: until, order: 'DESC' };
    const events: ResizeEvent[] = [];
    let page: Readonly<Record<string, string | number>> = { page_size: EVENTS_PAGE_SIZE };
    for (let pages = 0; pages < EVENT_PAGES_MAX; pages += 1) {
      const body = JSON.stringify({ ...asked, event_types: ['RESIZING'], ...page });
      const answer = await this.#client.post(path, body, signal);
      if (answer.outcome !== 'answered') return notAnswered(answer);
      const decoded = decodeEventPage(answer.body);
      if (decoded === undefined || decoded.unusable > 0) {
        return unknown('not-understood', `${path}: no list of dated events`);
      }
      events.push(...decoded.events);
      if (decoded.next === undefined) return { outcome: 'told', value: events };
      page = decoded.next;
    }
    return unknown('too-large', `${path}: over ${EVENT_PAGES_MAX} pages`);
  }

  async run(id: string, signal: AbortSignal): Promise<Told<DatabricksRun>> {
    const answer = await this.#client.get('/api/2.2/jobs/runs/get', [['run_id', id]], signal);
    if (answer.outcome !== 'answered') return notAnswered(answer);
    const run = decodeRun(answer.body);
    if (run?.id === id) return { outcome: 'told', value: run };
    return unknown('not-understood', `the answer is not run ${id}`);
  }

  /** Whether a run is of these clusters alone; undefined while its clusters aren't all known. */
  isOf(run: DatabricksRun, clusters: readonly DatabricksCluster[]): boolean | undefined {
    const { clusterId, clusterName } = this.#selection;
    if (clusterId === undefined && clusterName === undefined) return true;
    const own = new Set(clusters.map(({ id }) => id));
    if (run.clusters.some((id) => !own.has(id))) return false;
    return run.clusters.length === 0 || run.hasMore ? undefined : true;
  }

  #isSelected({ name }: DatabricksCluster): boolean {
    const { clusterName } = this.#selection;
    if (clusterName === undefined) return true;
    return clusterName.endsWith('*')
      ? name.startsWith(clusterName.slice(0, -1))
      : name === clusterName;
  }

  async #cluster(id: string, signal: AbortSignal): Promise<Told<DatabricksCluster>> {
    const answer = await this.#client.get('/api/2.1/clusters/get', [['cluster_id', id]], signal);
    if (answer.outcome !== 'answered') return notAnswered(answer);
    const cluster = decodeCluster(answer.body);
    if (cluster?.id === id) return { outcome: 'told', value: cluster };
    return unknown('not-understood', `the answer is not cluster ${id}`);
  }

  async #pages<T>(
    path: string,
    query: readonly (readonly [string, string])[],
    signal: AbortSignal,
    decode: (body: unknown) => Page<T> | undefined,
  ): Promise<Told<readonly T[]>> {
    const rows: T[] = [];
    const tokens = new Set<string>();
    let token = '';
    do {
      if (tokens.size === PAGES_MAX)
        return unknown('too-large', `${path}: over ${PAGES_MAX} pages`);
      const more = token === '' ? [] : [['page_token', token] as const];
      const answer = await this.#client.get(path, [...query, ...more], signal);
      if (answer.outcome !== 'answered') {
        return unknown(answer.reason, answer.detail);
      }
      const page = decode(answer.body);
      if (page === undefined) return unknown('not-understood', `${path}: no such list`);
      if (page.unusable > 0) {
        return unknown('not-understood', `${path}: ${page.unusable} rows without an id`);
      }
      rows.push(...page.rows);
      token = page.next;
      if (tokens.has(token)) return unknown('not-understood', `${path}: its pages go in a circle`);
      tokens.add(token);
    } while (token !== '');
    return { outcome: 'told', value: rows };
  }
}
