/**
 * @typedef {typeof import('../../shared/contracts/rest.ts')} Rest
 * @typedef {import('zod').infer<Rest['restStatus']>} Status
 * @typedef {import('zod').infer<Rest['restClusters']>['clusters'][number]} Cluster
 * @typedef {import('zod').infer<Rest['restPrices']>['pools'][number]} PoolPrice
 * @typedef {import('zod').infer<Rest['restProject']>} Project
 * @typedef {import('zod').infer<Rest['restApplication']>} Application
 * @typedef {import('zod').infer<Rest['restActivity']>} Activity
 * @typedef {import('zod').infer<Rest['restStreamingQueries']>['queries'][number]} StreamingQuery
 * @typedef {import('zod').infer<Rest['restLog']>} Log
 * @typedef {import('zod').infer<Rest['restFingerprints']>['fingerprints'][number]} LogGroup
 * @typedef {import('zod').infer<Rest['restProblem']>} Problem
 * @typedef {import('zod').infer<Rest['restSession']>} Session
 */

/** An answer that takes longer counts as none. */
const TIMEOUT_MS = 10_000;

/** Tollgate answered, and refused. */
export class RefusedError extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   */
  constructor(status, detail) {
    super(detail);
    this.name = 'RefusedError';
    this.status = status;
  }
}

/** No answer: the server is down, overloaded or out of reach. */
export class AwayError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'AwayError';
  }
}

/**
 * @param {string} path below /v1
 * @param {AbortSignal} signal
 * @returns {Promise<unknown>}
 */
async function read(path, signal) {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  /** @type {Response} */
  let response;
  /** @type {unknown} */
  let body;
  try {
    response = await fetch(`/v1${path}`, {
      signal: bounded,
      headers: { accept: 'application/json' },
      cache: 'no-store',
    });
    body = await response.json();
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new AwayError(cause instanceof Error ? cause.message : String(cause));
  }
  if (response.ok) return body;
  const problem = /** @type {Partial<Problem>} */ (body ?? {});
  const detail = problem.detail ?? problem.title ?? `HTTP ${response.status}`;
  if (response.status >= 500 || response.status === 429) throw new AwayError(detail);
  throw new RefusedError(response.status, detail);
}

/**
 * Signs in or out: the only requests of the page that change anything, and only in its own cookie.
 * @param {{ token: string } | { link: string } | undefined} credential undefined signs out
 */
export async function changeSession(credential) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch('/v1/session', {
      method: credential === undefined ? 'DELETE' : 'POST',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: 'no-store',
      ...(credential === undefined
        ? {}
        : { body: JSON.stringify(credential), headers: { 'content-type': 'application/json' } }),
    });
  } catch (cause) {
    throw new AwayError(cause instanceof Error ? cause.message : String(cause));
  }
  if (response.ok) return;
  const problem = /** @type {Partial<Problem>} */ (await response.json().catch(() => ({})));
  throw new RefusedError(response.status, problem.detail ?? `HTTP ${response.status}`);
}

/**
 * @param {Record<string, string | number | undefined>} parameters
 */
function query(parameters) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

/**
 * The answers of the REST API that the page reads. Shapes: shared/contracts/rest.ts.
 * @param {AbortSignal} signal
 */
export function restClient(signal) {
  /** @param {string} project */
  const of = (project) => `/projects/${encodeURIComponent(project)}`;
  return {
    status: async () => /** @type {Status} */ (await read('/status', signal)),
    session: async () => /** @type {Session} */ (await read('/session', signal)),
    clusters: async () => {
      const body = /** @type {{ clusters: Cluster[] }} */ (await read('/clusters', signal));
      return body.clusters;
    },
    /** @param {string} from ISO instant */
    prices: async (from) => {
      const body = await read(`/prices${query({ from })}`, signal);
      return /** @type {{ pools: PoolPrice[] }} */ (body).pools;
    },
    projects: async () => {
      const body = /** @type {{ projects: Project[] }} */ (await read('/projects', signal));
      return body.projects;
    },
    /**
     * @param {string} project
     * @param {{ state: string, limit: number }} parameters
     */
    applications: async (project, parameters) => {
      const body = await read(`${of(project)}/applications${query(parameters)}`, signal);
      return /** @type {{ applications: Application[], cursor: string | null }} */ (body);
    },
    /** @param {string} project */
    streamingQueries: async (project) => {
      const body = await read(`${of(project)}/streaming-queries`, signal);
      return /** @type {{ queries: StreamingQuery[] }} */ (body).queries;
    },
    /**
     * @param {string} project
     * @param {Record<string, string | number | undefined>} parameters
     */
    logs: async (project, parameters) => {
      const body = await read(`${of(project)}/logs${query(parameters)}`, signal);
      return /** @type {{ logs: Log[], cursor: string | null }} */ (body);
    },
    /**
     * @param {string} project
     * @param {Record<string, string | number | undefined>} parameters
     */
    logGroups: async (project, parameters) => {
      const body = await read(`${of(project)}/log-fingerprints${query(parameters)}`, signal);
      return /** @type {{ fingerprints: LogGroup[] }} */ (body).fingerprints;
    },
  };
}
