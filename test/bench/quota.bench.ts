import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import express from 'express';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { aContainer, anApplication, aSettlement } from '../support/ledger-builders.ts';
import { type RunningApi, runningApi } from '../support/running-api.ts';
import type { LoadOrder, LoadResult } from './request-load-worker.ts';

const PROJECTS = 200;
const CONNECTIONS = 50;
const WARM_UP_MS = 1_000;
const MEASURE_MS = 3_000;
const ROUNDS = 3;

export async function load(order: LoadOrder): Promise<LoadResult> {
  const worker = new Worker(new URL('./request-load-worker.ts', import.meta.url), {
    workerData: order,
  });
  const [result] = (await once(worker, 'message')) as [LoadResult];
  await worker.terminate();
  return result;
}

function post(path: string, body: object): string {
  const text = JSON.stringify(body);
  return [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    '',
    text,
  ].join('\r\n');
}

const EMPTY = ['GET /empty HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'];

const names = Array.from({ length: PROJECTS }, (_, i) => `project-${i}`);
const PLAIN = names.map((project) => post('/v1/quota-checks', { project }));
const PLANNED = names.map((project) =>
  post('/v1/quota-checks', {
    project,
    resources: { cores: 200, memoryMib: 819_200 },
    durationMs: 5_400_000,
  }),
);

/** The least that Express does: one route that answers `{"ok":true}`. */
async function emptyRoute(): Promise<{ server: Server; port: number }> {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/empty', (_request, response) => {
    response.json({ ok: true });
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function fill(api: RunningApi): Promise<void> {
  for (const [i, name] of names.entries()) {
    const project = name as ProjectId;
    const reason = 'bench';
    const grantedAt = api.clock.now();
    await api.stores.grants.grant({ id: name, project, amount: 10n ** 15n, reason, grantedAt });
    const application = `app-${i}`;
    await api.stores.ledgerWriter.settle(
      aSettlement({
        applications: [anApplication({ application, project })],
        containers: [aContainer({ application, container: `c${i}`, accrued: 10n ** 12n })],
      }),
    );
  }
}

function line(name: string, { answers, errors, seconds, p50Ms, p99Ms, maxMs }: LoadResult): string {
  const rate = Math.round(answers / seconds).toLocaleString('en');
  const times = `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)}, max ${maxMs.toFixed(1)}`;
  return `${name.padEnd(28)} ${rate.padStart(8)} /s  ${times}${errors > 0 ? `, ${errors} ERRORS` : ''}`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Quota checks over HTTP beside the least that Express does, in turns, in one process. */
export async function run(print: (line: string) => void): Promise<void> {
  await using api = await runningApi();
  await fill(api);
  const empty = await emptyRoute();
  const apiPort = Number(new URL(api.url).port);
  const common = { connections: CONNECTIONS, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS };
  const ratios: { plain: number[]; planned: number[] } = { plain: [], planned: [] };
  print(
    `${PROJECTS} projects, ${CONNECTIONS} connections, the load in a thread of the same machine`,
  );
  for (let round = 0; round < ROUNDS; round += 1) {
    const base = await load({ ...common, port: empty.port, requests: EMPTY });
    const plain = await load({ ...common, port: apiPort, requests: PLAIN });
    const planned = await load({ ...common, port: apiPort, requests: PLANNED });
    print(line('empty Express route', base));
    print(line('quota check', plain));
    print(line('quota check with a plan', planned));
    ratios.plain.push(plain.answers / base.answers);
    ratios.planned.push(planned.answers / base.answers);
  }
  empty.server.closeAllConnections();
  empty.server.close();
  print(`ratio to the empty route (median of ${ROUNDS}), target 0.7:`);
  print(`  quota check ${median(ratios.plain).toFixed(2)}`);
  print(`  quota check with a plan ${median(ratios.planned).toFixed(2)}`);
}
