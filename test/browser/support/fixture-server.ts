import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import type { z } from 'zod';
import * as rest from '../../../shared/contracts/rest.ts';
import type { Log, SamplePlatform } from './sample-platform.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const WEB = join(ROOT, 'services/web');
const MODULES: Record<string, string> = {
  'preact.js': 'preact/dist/preact.mjs',
  'htm.js': 'htm/dist/htm.module.js',
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
};
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const LEVELS = ['UNKNOWN', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/**
 * Serves the page and answers its questions from a platform that a test holds in its hand. Each
 * answer is checked against the contract, so the page is never tested on shapes that the API
 * doesn't send.
 */
export class FixtureServer implements AsyncDisposable {
  readonly platform: SamplePlatform;
  /** Paths with query that were asked below /v1. */
  readonly asked: string[] = [];
  #server: Server;
  #port = 0;

  constructor(platform: SamplePlatform) {
    this.platform = platform;
    this.#server = this.#create();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Nothing answers any more; `listen` comes back on the same port. */
  async goAway(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    this.#server = this.#create();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.goAway();
  }

  #create(): Server {
    return createServer((request, response) => {
      void this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    response.setHeader(
      'content-security-policy',
      "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; base-uri 'self'",
    );
    if (url.pathname.startsWith('/v1/')) {
      this.asked.push(url.pathname + url.search);
      const { status, body } = this.#rest(url);
      const type = status === 200 ? 'application/json' : 'application/problem+json';
      response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
      return;
    }
    const name = url.pathname === '/' ? '/index.html' : url.pathname;
    const module = /^\/modules\/([^/]+)$/.exec(name)?.[1];
    const file =
      module === undefined ? join(WEB, name) : join(ROOT, 'node_modules', MODULES[module] ?? '-');
    try {
      const content = await readFile(file);
      const type = TYPES[extname(name)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }

  #rest(url: URL): { status: number; body: unknown } {
    const { platform } = this;
    const now = new Date(platform.nowMs()).toISOString();
    const ok = <T extends z.ZodType>(schema: T, body: z.input<T>) => ({
      status: 200,
      body: schema.parse(body),
    });
    if (url.pathname === '/v1/status') {
      const { mode } = platform;
      return ok(rest.restStatus, { version: '0.1.0', mode, now, startedAt: now });
    }
    if (url.pathname === '/v1/session') {
      const nobody = { label: '', scopes: ['admin' as const], projects: null, expiresAt: null };
      return ok(rest.restSession, { required: false, ...nobody });
    }
    if (url.pathname === '/v1/clusters') {
      return ok(rest.restClusters, { clusters: platform.clusters });
    }
    if (url.pathname === '/v1/prices') return ok(rest.restPrices, { pools: platform.pools });
    if (url.pathname === '/v1/projects') {
      return ok(rest.restProjects, { projects: platform.projects });
    }
    const [, , , encoded = '', resource = ''] = url.pathname.split('/');
    const project = decodeURIComponent(encoded);
    if (!platform.projects.some(({ id }) => id === project)) {
      const detail = `There is no project ${project}.`;
      const problem = { type: 'about:blank', title: 'Not found', status: 404, detail };
      return { status: 404, body: rest.restProblem.parse({ ...problem, code: 'NOT_FOUND' }) };
    }
    return this.#ofProject(project, resource, url.searchParams);
  }

  #ofProject(project: string, resource: string, query: URLSearchParams) {
    const { platform } = this;
    if (resource === 'applications') {
      const applications = platform.applications.filter(
        (one) => one.project === project && one.state === query.get('state'),
      );
      return { status: 200, body: rest.restApplications.parse({ applications, cursor: null }) };
    }
    if (resource === 'streaming-queries') {
      const queries = platform.queries.filter((one) => one.project === project);
      return { status: 200, body: rest.restStreamingQueries.parse({ queries }) };
    }
    const found = searchLogs(platform.logs, project, query);
    if (resource === 'logs') {
      const from = Number(query.get('cursor') ?? 0);
      const limit = Number(query.get('limit') ?? 100);
      const cursor = found.length > from + limit ? String(from + limit) : null;
      const body = { logs: found.slice(from, from + limit), cursor };
      return { status: 200, body: rest.restLogs.parse(body) };
    }
    const groups = Map.groupBy(found, ({ fingerprint }) => fingerprint);
    const fingerprints = [...groups].flatMap(([fingerprint, [example, ...more]]) =>
      example === undefined ? [] : [{ fingerprint, count: more.length + 1, example }],
    );
    return { status: 200, body: rest.restFingerprints.parse({ fingerprints }) };
  }
}

function searchLogs(logs: Log[], project: string, query: URLSearchParams): Log[] {
  const words = (query.get('text') ?? '').toLowerCase().split(/\s+/);
  const lowest = LEVELS.indexOf(query.get('level') ?? 'UNKNOWN');
  const same = (log: Log, field: 'application' | 'container' | 'fingerprint') =>
    !query.has(field) || query.get(field) === log[field];
  return logs.filter(
    (log) =>
      log.project === project &&
      LEVELS.indexOf(log.level) >= lowest &&
      words.every((word) => log.message.toLowerCase().includes(word)) &&
      same(log, 'application') &&
      same(log, 'container') &&
      same(log, 'fingerprint') &&
      log.at >= (query.get('from') ?? '') &&
      log.at < (query.get('until') ?? '~'),
  );
}
