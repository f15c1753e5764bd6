import { Writable } from 'node:stream';
import { pino } from 'pino';
import { committedOpenapi } from '../../services/api/http/write-openapi.ts';
import type { IngestRequest } from '../../services/collectors/core/ingest.ts';
import { createHttpInput } from '../../services/collectors/inputs/http-input.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { QuarantinedRecord } from '../../shared/stores/quarantine.ts';
import type { TokenScope } from '../../shared/stores/token-store.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { aSettlement } from './ledger-builders.ts';
import { type RunningApi, runningApi } from './running-api.ts';

/** An operation that the API's description says to need a token. */
export interface GuardedOperation {
  readonly method: string;
  /** With `{name}` for its parts. */
  readonly path: string;
  /** Undefined where any token does. */
  readonly scope: TokenScope | undefined;
}

export interface GuardedApi extends RunningApi {
  readonly operations: readonly GuardedOperation[];
  /** What was pushed, as its collector got it. */
  readonly pushed: readonly IngestRequest[];
  /** All that was logged, as text. */
  readonly logged: () => string;
  ask(operation: GuardedOperation, asking?: Asking): Promise<Response>;
}

interface Asking {
  readonly token?: string | undefined;
  readonly cookie?: string;
  /** In the address and in whatever else names a project. */
  readonly project?: string;
}

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly security?: unknown;
  readonly 'x-tollgate-scope'?: TokenScope;
}

/** All operations of the description, so that a new one is in every test of the doors. */
function guardedOperations(): GuardedOperation[] {
  const { paths } = committedOpenapi() as Described;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => security !== undefined)
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        scope: operation['x-tollgate-scope'],
      })),
  );
}

const SILENCE = {
  ...{ matchers: [{ name: 'alertname', value: 'x' }], comment: 'c' },
  endsAt: '2026-12-24T00:00:00Z',
};

const BODIES: Readonly<Record<string, (project: string) => object>> = {
  '/v1/projects/{project}/grants': (project) => ({ id: `of-${project}`, credits: '5', reason: '' }),
  '/v1/quota-checks': (project) => ({ project }),
  '/v1/projects/{project}/reservations': (project) => ({
    ...{ id: `of-${project}`, application: 'nightly', maxCost: '0.000000001', leaseSeconds: 60 },
  }),
  '/v1/projects/{project}/reservations/{id}/lease': () => ({ leaseSeconds: 60 }),
  '/v1/quotes': (project) => ({ project, application: 'nightly' }),
  '/v1/quarantine/replay': () => ({}),
  '/v1/replays': () => ({ tariff: {} }),
  '/v1/ingest/heartbeats': () => ({ protocol: 1, application: 'app-1', at: 0 }),
  '/v1/projects/{project}/applications/{cluster}/{application}/stops': () => ({ id: 's1' }),
  '/v1/enforcement/switch': () => ({ id: 'e1', on: false, why: 'w' }),
  '/v1/enforcement/levels': () => ({
    ...{ id: 'e2', policy: 'quota', level: 'notify', on: true, why: 'w' },
  }),
  '/v1/enforcement/brake-releases': () => ({ id: 'e3', why: 'w' }),
  '/v1/enforcement/exemptions': () => ({
    ...{ id: 'e4', owner: 'o', cluster: 'c1', why: 'w', expiresAt: '2100-01-01T00:00:00Z' },
  }),
  '/v1/enforcement/exemptions/{id}/revocation': () => ({ id: 'e5', why: 'w' }),
  '/v1/enforcement/actions/{id}/resolution': () => ({ id: 'e6', outcome: 'failed', why: 'w' }),
  '/v1/silences': () => ({ ...SILENCE, id: 's1' }),
  '/v1/projects/{project}/silences': (project) => ({ ...SILENCE, id: `of-${project}` }),
  '/v1/prices/{pool}/freezes': () => ({ id: 'f1', frozen: true, reason: 'why not' }),
};

function refused(project: string): QuarantinedRecord {
  return {
    ...{ id: `refused-${project}`, collector: 'logs', source: 'http', reason: 'no-message' },
    ...{ project, observedAt: 0, raw: `raw line of ${project}` },
  };
}

/** An API that asks for tokens, with the projects `etl` and `ml`, and with all doors of collectors. */
export async function guardedApi(): Promise<GuardedApi> {
  const pushed: IngestRequest[] = [];
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const handler = {
    async ingest(request: IngestRequest) {
      pushed.push(request);
      return { stored: 0, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    },
  };
  let late: RunningApi | undefined;
  const ingest = createHttpInput({
    handlers: { logs: handler, metrics: handler, progress: handler, containers: handler },
    bodyMaxBytes: 1_000,
    queueMaxBytes: 1_000,
    clock: { now: () => 0, elapsed: () => 0, sleep: async () => {} },
    projectsOf: (request) => late?.doors.callerOf(request)?.projects,
    agents: {
      orders: {
        open: async () => [],
        order: () => Promise.reject(new Error('nobody orders')),
        ofApplication: async () => [],
        report: async () => undefined,
      },
      known: { applications: async () => new Map() },
      clock: systemClock,
      metrics: new Metrics(),
    },
  });
  const api = await runningApi({
    parts: { ingest, logger: pino({ level: 'debug' }, stream) },
    requireToken: true,
    deps: {
      replay: async (records) => ({ stored: records.length }),
      tariffReplays: async function* nothing() {},
    },
  });
  late = api;
  for (const project of ['etl', 'ml']) {
    const grant = { id: `g-${project}`, project: project as never, amount: 9n, reason: '' };
    await api.stores.grants.grant({ ...grant, grantedAt: 0 });
    await api.deps.quarantine.put([refused(project)]);
  }
  // So far settled that a month can be closed.
  await api.stores.ledgerWriter.settle(aSettlement({ asOf: api.clock.now() }));
  const queries: Readonly<Record<string, string>> = {
    '/v1/projects/{project}/metrics': '?measurement=m&field=f',
  };
  return {
    ...api,
    pushed,
    operations: guardedOperations(),
    logged: () => text,
    ask({ method, path }, { token, cookie, project = 'etl' } = {}) {
      const named = path
        .replace('{project}', project)
        .replace('{pool}', 'cpu')
        .replace('{month}', '2026-10');
      const address = named.replaceAll(/\{\w+\}/g, 'x');
      const body = method !== 'GET' ? JSON.stringify(BODIES[path]?.(project) ?? {}) : undefined;
      return fetch(`${api.url}${address}${queries[path] ?? ''}`, {
        method,
        ...(body === undefined ? {} : { body }),
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(path.startsWith('/v1/ingest/') ? { 'tollgate-project': project } : {}),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(cookie === undefined ? {} : { cookie }),
        },
      });
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
