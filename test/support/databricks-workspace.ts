import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Row = Record<string, unknown>;

/** Said instead of the next answers to a path. */
interface Fault {
  readonly path: string;
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  /** `cut`: half an answer. `silent`: none. Both after the work is done, as a lost answer is. */
  readonly how?: 'cut' | 'silent';
  times: number;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const ENDED = ['TERMINATED', 'SKIPPED', 'INTERNAL_ERROR'];

/**
 * A workspace of Databricks, as far as Tollgate asks it: clusters, node types, runs and permissions
 * of cluster policies, in the shapes of API 2.0 to 2.2 (databricks/databricks-sdk-py). Ids of runs
 * are written as the bare int64 that they are. Clusters end a moment after they were asked to:
 * `settle` is that moment.
 */
export class DatabricksWorkspace implements AsyncDisposable {
  readonly token = 'dapi-secret-0123456789abcdef';
  readonly clusters = new Map<string, Row>();
  /** By id in digits; the rows have no `run_id` of their own. */
  readonly runs = new Map<string, Row>();
  readonly policies = new Map<string, Row[]>();
  readonly asked: Asked[] = [];
  readonly faults: Fault[] = [];
  nodeTypes: Row[] = [];
  events: Row[] = [];
  pageSize = 2;
  /** As before there were page tokens. */
  pagesByOffset = false;
  readonly #server = createServer((request, response) => {
    void this.#serve(request, response);
  });

  static async open(): Promise<DatabricksWorkspace> {
    const workspace = new DatabricksWorkspace();
    workspace.#server.listen(0, '127.0.0.1');
    await once(workspace.#server, 'listening');
    return workspace;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(cluster: Row): void {
    this.clusters.set(String(cluster['cluster_id']), cluster);
  }

  paths(method?: string): string[] {
    return this.asked
      .filter((one) => method === undefined || one.method === method)
      .map(({ path }) => path);
  }

  /** What was asked to end has ended. */
  settle(): void {
    for (const row of this.clusters.values()) {
      if (row['state'] !== 'TERMINATING') continue;
      row['state'] = 'TERMINATED';
      for (const key of ['driver', 'executors', 'spark_context_id']) delete row[key];
    }
    for (const row of this.runs.values()) {
      const state = row['state'] as Row;
      if (state['life_cycle_state'] !== 'TERMINATING') continue;
      Object.assign(state, { life_cycle_state: 'TERMINATED', result_state: 'CANCELED' });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const body = await text(request);
    const method = request.method ?? '';
    const asked = { method, path: url.pathname, query: url.searchParams, body };
    this.asked.push(asked);
    const fault = this.faults.find(({ path, times }) => path === url.pathname && times > 0);
    if (fault !== undefined) fault.times -= 1;
    if (fault !== undefined && fault.how === undefined) {
      response.writeHead(fault.status ?? 200, fault.headers).end(fault.body ?? '');
      return;
    }
    const { status, json } = this.#answer(asked, request.headers.authorization);
    if (fault?.how === 'silent') return;
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(fault?.how === 'cut' ? { 'content-length': String(json.length + 100) } : {}),
    });
    response.write(json);
    if (fault?.how === 'cut') response.destroy();
    else response.end();
  }

  #answer(asked: Asked, authorization: string | undefined): { status: number; json: string } {
    try {
      if (authorization !== `Bearer ${this.token}`) {
        throw new ApiError(403, 'PERMISSION_DENIED', 'Invalid access token.');
      }
      return { status: 200, json: this.#do(asked) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const json = JSON.stringify({ error_code: error.code, message: error.message });
      return { status: error.status, json };
    }
  }

  #do(asked: Asked): string {
    const policy = /^\/api\/2\.0\/permissions\/cluster-policies\/([^/]+)$/.exec(asked.path)?.[1];
    if (policy !== undefined) return this.#permissions(policy, asked);
    switch (`${asked.method} ${asked.path}`) {
      case 'GET /api/2.1/clusters/list':
        return this.#listClusters(asked.query);
      case 'GET /api/2.1/clusters/get':
        return JSON.stringify(this.#cluster(asked.query.get('cluster_id') ?? ''));
      case 'GET /api/2.1/clusters/list-node-types':
        return JSON.stringify({ node_types: this.nodeTypes });
      case 'POST /api/2.1/clusters/events':
        return this.#listEvents(JSON.parse(asked.body));
      case 'POST /api/2.1/clusters/delete':
        return this.#terminate(JSON.parse(asked.body)['cluster_id']);
      case 'GET /api/2.2/jobs/runs/list':
        return this.#listRuns(asked.query);
      case 'GET /api/2.2/jobs/runs/get':
        return this.#runText(asked.query.get('run_id') ?? '');
      case 'POST /api/2.2/jobs/runs/cancel':
        return this.#cancel(/"run_id":\s*(\d+)/.exec(asked.body)?.[1] ?? '');
      default:
        throw new ApiError(404, 'ENDPOINT_NOT_FOUND', `No API found for ${asked.path}`);
    }
  }

  #cluster(id: string): Row {
    const row = this.clusters.get(id);
    if (row !== undefined) return row;
    throw new ApiError(400, 'INVALID_PARAMETER_VALUE', `Cluster ${id} does not exist`);
  }

  #page<T>(all: readonly T[], query: URLSearchParams): { rows: T[]; token: string } {
    const from = Number(query.get('page_token') ?? '0');
    const until = from + this.pageSize;
    return { rows: all.slice(from, until), token: until < all.length ? String(until) : '' };
  }

  #listClusters(query: URLSearchParams): string {
    const states = query.getAll('filter_by.cluster_states');
    const all = [...this.clusters.values()].filter(
      ({ state }) => states.length === 0 || states.includes(String(state)),
    );
    const { rows, token } = this.#page(all, query);
    return JSON.stringify({ clusters: rows, next_page_token: token, prev_page_token: '' });
  }

  #listEvents(body: Row): string {
    const all = this.events.filter(
      ({ type, timestamp, cluster_id }) =>
        cluster_id === body['cluster_id'] &&
        (body['event_types'] as string[]).includes(String(type)) &&
        Number(timestamp) >= Number(body['start_time']) &&
        Number(timestamp) < Number(body['end_time']),
    );
    all.sort((a, b) => Number(b['timestamp']) - Number(a['timestamp']));
    if (this.pagesByOffset) {
      const from = Number(body['offset'] ?? 0);
      const next = { ...body, offset: from + this.pageSize, limit: this.pageSize };
      const rows = all.slice(from, from + this.pageSize);
      const isLast = from + this.pageSize >= all.length;
      return JSON.stringify({ events: rows, ...(isLast ? {} : { next_page: next }) });
    }
    const query = new URLSearchParams({ page_token: String(body['page_token'] ?? '0') });
    const { rows, token } = this.#page(all, query);
    return JSON.stringify({ events: rows, next_page_token: token, prev_page_token: '' });
  }

  #terminate(id: string): string {
    const row = this.#cluster(id);
    if (row['state'] !== 'TERMINATED') row['state'] = 'TERMINATING';
    return '{}';
  }

  #runText(id: string): string {
    const row = this.runs.get(id);
    if (row === undefined) {
      throw new ApiError(400, 'INVALID_PARAMETER_VALUE', `Run ${id} does not exist.`);
    }
    return `{"run_id":${id},${JSON.stringify(row).slice(1)}`;
  }

  #lifeCycle(id: string): string {
    return String((this.runs.get(id)?.['state'] as Row | undefined)?.['life_cycle_state']);
  }

  #listRuns(query: URLSearchParams): string {
    if (Number(query.get('limit')) >= 25) {
      throw new ApiError(400, 'INVALID_PARAMETER_VALUE', 'limit must be less than 25');
    }
    const active = [...this.runs.keys()].filter((id) => !ENDED.includes(this.#lifeCycle(id)));
    const { rows, token } = this.#page(active, query);
    const list = rows.map((id) => this.#runText(id)).join(',');
    return `{"runs":[${list}],"has_more":${token !== ''},"next_page_token":"${token}"}`;
  }

  #cancel(id: string): string {
    this.#runText(id);
    const state = this.runs.get(id)?.['state'] as Row;
    if (ENDED.includes(String(state['life_cycle_state']))) {
      throw new ApiError(400, 'INVALID_STATE', `Run ${id} is already terminated.`);
    }
    state['life_cycle_state'] = 'TERMINATING';
    return '{}';
  }

  #permissions(policy: string, { method, body }: Asked): string {
    const rows = this.policies.get(policy);
    if (rows === undefined) {
      throw new ApiError(404, 'RESOURCE_DOES_NOT_EXIST', `Policy ${policy} does not exist.`);
    }
    if (method === 'PUT') {
      const inherited = rows.filter((row) =>
        (row['all_permissions'] as Row[]).some((one) => one['inherited'] === true),
      );
      const direct = (JSON.parse(body)['access_control_list'] as Row[]).map(
        ({ permission_level, ...principal }) => ({
          ...principal,
          all_permissions: [{ permission_level, inherited: false }],
        }),
      );
      this.policies.set(policy, [...inherited, ...direct]);
    }
    return JSON.stringify({
      object_id: `/cluster-policies/${policy}`,
      object_type: 'cluster-policy',
      access_control_list: this.policies.get(policy),
    });
  }
}
