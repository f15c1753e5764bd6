import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import express, { type ErrorRequestHandler } from 'express';
import { AppError } from '../../../shared/errors/app-error.ts';
import { CODES } from '../../../shared/errors/codes.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { IngestRequest } from '../core/ingest.ts';
import { createHttpInput, type HttpInputOptions } from './http-input.ts';

interface Running extends AsyncDisposable {
  readonly url: string;
  readonly seen: { collector: string; request: IngestRequest }[];
}

/** The input on a server that answers errors as their status and code. */
async function serve(options: {
  config?: Partial<HttpInputOptions>;
  answer?: () => Promise<void>;
}): Promise<Running> {
  const seen: Running['seen'] = [];
  const handler = (collector: string) => ({
    async ingest(request: IngestRequest) {
      seen.push({ collector, request });
      await options.answer?.();
      return { stored: 1, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    },
  });
  const app = express();
  app.use(
    createHttpInput({
      ...{ bodyMaxBytes: 1 << 24, queueMaxBytes: 1 << 26 },
      ...options.config,
      handlers: {
        logs: handler('logs'),
        progress: handler('progress'),
        metrics: handler('metrics'),
        containers: handler('containers'),
      },
      clock: new FakeClock(),
    }),
  );
  const fail: ErrorRequestHandler = (error, _request, response, _next) => {
    assert.ok(error instanceof AppError, String(error));
    response.status(CODES[error.code].status).json({ ...error.details, text: error.message });
  };
  app.use(fail);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const LINES = Buffer.from('{"message":"one"}\n{"message":"two"}\n');

function post(url: string, body: Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'Content-Type': 'application/x-ndjson', ...headers },
  });
}

const ENCODINGS: readonly [name: string, encode: (body: Buffer) => Buffer][] = [
  ['identity', (body) => body],
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
];

for (const [name, encode] of ENCODINGS) {
  test(`a ${name} body reaches its collector decompressed, with project, cluster and time`, async () => {
    await using input = await serve({});
    const response = await post(`${input.url}/v1/ingest/logs`, encode(LINES), {
      'Content-Encoding': name,
      'Tollgate-Project': 'ETL',
      'Tollgate-Cluster': 'yarn-1',
    });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      ...{ stored: 1, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] },
    });
    const [first] = input.seen;
    assert.equal(first?.collector, 'logs');
    assert.equal(first?.request.project, 'etl');
    assert.equal(first?.request.cluster, 'yarn-1');
    assert.equal(first?.request.receivedAt, new FakeClock().now());
    assert.equal(Buffer.from(first?.request.body ?? []).toString(), LINES.toString());
  });
}

test('a large compressible body arrives whole, whatever its chunks', async () => {
  await using input = await serve({});
  const body = Buffer.from(
    Array.from({ length: 200_000 }, (_, i) => `{"n":${(i * 7919) % 104_729}}`).join('\n'),
  );
  for (const [name, encode] of ENCODINGS) {
    const answer = await post(`${input.url}/v1/ingest/metrics`, encode(body), {
      'Content-Encoding': name,
    });
    assert.equal(answer.status, 200);
    assert.ok(body.equals(Buffer.from(input.seen.at(-1)?.request.body ?? [])), name);
  }
});

for (const [name, encode] of ENCODINGS.slice(1)) {
  test(`a cut ${name} body is refused and nothing of it is stored`, async () => {
    await using input = await serve({});
    const whole = encode(Buffer.from('{"a":1}\n'.repeat(10_000)));
    const cut = await post(`${input.url}/v1/ingest/logs`, whole.subarray(0, whole.length - 6), {
      'Content-Encoding': name,
    });
    assert.equal(cut.status, 400);
    assert.match(((await cut.json()) as { text: string }).text, /ends too early/);
    const damaged = await post(
      `${input.url}/v1/ingest/logs`,
      Buffer.concat([whole, Buffer.from('x y z')]),
      {
        'Content-Encoding': name,
      },
    );
    assert.equal(damaged.status, 400);
    const wrong = await post(`${input.url}/v1/ingest/logs`, LINES, { 'Content-Encoding': name });
    assert.equal(wrong.status, 400);
    assert.deepEqual(input.seen, []);
  });

  test(`a ${name} bomb stops at the limit of the decompressed size`, async () => {
    await using input = await serve({ config: { bodyMaxBytes: 100_000 } });
    const bomb = encode(Buffer.alloc(50_000_000, 'a'));
    assert.ok(bomb.length < 100_000);
    const answer = await post(`${input.url}/v1/ingest/logs`, bomb, { 'Content-Encoding': name });
    assert.equal(answer.status, 413);
    assert.deepEqual(input.seen, []);
    assert.equal((await post(`${input.url}/v1/ingest/logs`, LINES)).status, 200);
  });
}

test('the sender of a body that is too large can read why', async () => {
  await using input = await serve({ config: { bodyMaxBytes: 100_000 } });
  const answer = await post(`${input.url}/v1/ingest/logs`, Buffer.alloc(4_000_000, 'a'));
  assert.equal(answer.status, 413);
  assert.match(((await answer.json()) as { text: string }).text, /more than 100000 bytes/);
});

test('other types, encodings, projects, clusters and methods are refused by name', async () => {
  await using input = await serve({});
  const status = async (headers: Record<string, string>) =>
    (await post(`${input.url}/v1/ingest/logs`, LINES, headers)).status;
  assert.equal(await status({ 'Content-Type': 'application/x-www-form-urlencoded' }), 415);
  assert.equal(await status({ 'Content-Type': 'text/html' }), 415);
  assert.equal(await status({ 'Content-Encoding': 'br' }), 415);
  assert.equal(await status({ 'Tollgate-Project': '../etc' }), 400);
  assert.equal(await status({ 'Tollgate-Project': '__proto__' }), 400);
  assert.equal(await status({ 'Tollgate-Cluster': 'a b' }), 400);
  assert.equal(await status({ 'Content-Type': 'application/json; charset=utf-8' }), 200);
  assert.equal(input.seen.length, 1);
});

test('2xx waits for the store', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using input = await serve({ answer: () => promise });
  let answered = false;
  const pushed = post(`${input.url}/v1/ingest/logs`, LINES).then((response) => {
    answered = true;
    return response;
  });
  while (input.seen.length === 0) await new Promise((wake) => setImmediate(wake));
  for (let i = 0; i < 20; i += 1) await new Promise((wake) => setImmediate(wake));
  assert.equal(answered, false);
  resolve();
  assert.equal((await pushed).status, 200);
});

test('bytes that are not stored yet are bounded: more get 429, and room comes back', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const config = { queueMaxBytes: 1_024, retryAfterMs: 7_000 };
  await using input = await serve({ config, answer: () => promise });
  const first = post(`${input.url}/v1/ingest/logs`, Buffer.alloc(800, ' '));
  while (input.seen.length === 0) await new Promise((wake) => setImmediate(wake));
  const refused = await post(`${input.url}/v1/ingest/metrics`, Buffer.alloc(800, ' '));
  assert.equal(refused.status, 429);
  assert.equal(((await refused.json()) as { retryAfterMs: number }).retryAfterMs, 7_000);
  resolve();
  assert.equal((await first).status, 200);
  assert.equal((await post(`${input.url}/v1/ingest/metrics`, Buffer.alloc(800, ' '))).status, 200);
});

test('pushes at a time are bounded', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using input = await serve({ config: { requestsMax: 1 }, answer: () => promise });
  const first = post(`${input.url}/v1/ingest/logs`, LINES);
  while (input.seen.length === 0) await new Promise((wake) => setImmediate(wake));
  assert.equal((await post(`${input.url}/v1/ingest/logs`, LINES)).status, 429);
  resolve();
  assert.equal((await first).status, 200);
});

test('a sender that goes away in the middle leaves its room to others', async () => {
  await using input = await serve({ config: { queueMaxBytes: 1_024, requestsMax: 1 } });
  const broken = httpRequest(`${input.url}/v1/ingest/logs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', 'Content-Length': '900' },
  });
  broken.on('error', () => {});
  await new Promise<void>((sent) => broken.write(Buffer.alloc(800, ' '), () => sent()));
  while ((await post(`${input.url}/v1/ingest/logs`, LINES)).status !== 429);
  broken.destroy();
  while ((await post(`${input.url}/v1/ingest/logs`, Buffer.alloc(800, ' '))).status !== 200);
  assert.ok(input.seen.every(({ request }) => request.body.length !== 900));
});

test('a sender with a token of some projects names one of them', async () => {
  const projects = ['etl', 'ml'] as ProjectId[];
  let bound = projects;
  await using input = await serve({ config: { projectsOf: () => bound } });
  const send = async (collector: string, project?: string) => {
    const headers = project === undefined ? {} : { 'Tollgate-Project': project };
    const answer = await post(`${input.url}/v1/ingest/${collector}`, LINES, headers);
    return { status: answer.status, text: await answer.text() };
  };
  assert.equal((await send('logs', 'ml')).status, 200);
  const [first] = input.seen;
  assert.deepEqual([first?.request.project, first?.request.onlyProjects], ['ml', projects]);
  const foreign = await send('logs', 'sales');
  assert.deepEqual([foreign.status, /there is no project sales/.test(foreign.text)], [404, true]);
  const none = await send('metrics');
  assert.deepEqual([none.status, /one of etl, ml/.test(none.text)], [400, true]);
  assert.equal((await send('containers', 'etl')).status, 200);
  bound = projects.slice(0, 1);
  assert.equal((await send('progress')).status, 200);
  assert.equal(input.seen.at(-1)?.request.project, 'etl', 'there is only one that it can mean');
  assert.equal(input.seen.length, 3);
});
