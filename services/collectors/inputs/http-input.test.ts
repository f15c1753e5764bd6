import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { AppError } from '../../../shared/errors/app-error.ts';
import { CODES } from '../../../shared/errors/codes.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { IngestRequest } from '../core/ingest.ts';
import { createHttpInput } from './http-input.ts';

async function listening(
  ingest: (request: IngestRequest) => Promise<void>,
  limits = { bodyMaxBytes: 1_000, queueMaxBytes: 2_000 },
) {
  const handler = {
    ingest: async (request: IngestRequest) => {
      await ingest(request);
      return { stored: 1, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    },
  };
  const handlers = { logs: handler, progress: handler, metrics: handler, containers: handler };
  const app = express();
  app.use(createHttpInput({ handlers, clock: new FakeClock(), ...limits }));
  app.use((error: AppError, _request: Request, response: Response, _next: NextFunction) => {
    response.status(CODES[error.code]?.status ?? 500).json({ code: error.code });
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const post = (body: Buffer | string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/v1/ingest/logs`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    });
  return {
    port,
    post,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('plain, gzip and zstd bodies arrive the same, with their project and cluster', async () => {
  const seen: IngestRequest[] = [];
  await using input = await listening(async (request) => {
    seen.push(request);
  });
  const text = '{"message":"a"}\n';
  const headers = { 'tollgate-project': 'ETL', 'tollgate-cluster': 'yarn-main' };
  const answers = [
    await input.post(text, headers),
    await input.post(gzipSync(text), { ...headers, 'content-encoding': 'gzip' }),
    await input.post(zstdCompressSync(text), { ...headers, 'content-encoding': 'zstd' }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
  for (const { body, project, cluster } of seen) {
    assert.equal(Buffer.from(body).toString(), text);
    assert.equal(project, 'etl');
    assert.equal(cluster, 'yarn-main');
  }
});

test('a body that is larger than allowed is refused, also when it is small compressed', async () => {
  await using input = await listening(async () => assert.fail('nothing may be stored'));
  assert.equal((await input.post('x'.repeat(1_001))).status, 413);
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  assert.equal((await input.post(bomb, { 'content-encoding': 'gzip' })).status, 413);
});

test('a damaged or cut compressed body stores nothing and says so', async () => {
  await using input = await listening(async () => assert.fail('nothing may be stored'));
  const cut = gzipSync('{"message":"a"}\n'.repeat(50)).subarray(0, 30);
  assert.equal((await input.post(cut, { 'content-encoding': 'gzip' })).status, 400);
  assert.equal((await input.post('no zstd', { 'content-encoding': 'zstd' })).status, 400);
});

test('a sender that hangs up in the middle stores nothing', async () => {
  let stored = 0;
  await using input = await listening(async () => {
    stored += 1;
  });
  const socket = connect(input.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    'POST /v1/ingest/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"message":',
  );
  socket.destroy();
  await input.post('{"message":"whole"}\n');
  assert.equal(stored, 1);
});

test('what is not understood is refused by name', async () => {
  await using input = await listening(async () => assert.fail('nothing may be stored'));
  assert.equal((await input.post('a', { 'content-type': 'image/png' })).status, 415);
  assert.equal((await input.post('a', { 'content-encoding': 'br' })).status, 415);
  assert.equal((await input.post('a', { 'tollgate-project': '../x' })).status, 400);
  assert.equal((await input.post('a', { 'tollgate-cluster': 'a b' })).status, 400);
});

test('a full queue answers 429 and takes records again when there is room', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let entered = (): void => {};
  const inside = new Promise<void>((resolve) => {
    entered = resolve;
  });
  await using input = await listening(
    async () => {
      entered();
      await held;
    },
    { bodyMaxBytes: 1_000, queueMaxBytes: 1_200 },
  );
  const first = input.post('x'.repeat(900));
  await inside;
  assert.equal((await input.post('y'.repeat(900))).status, 429);
  release();
  assert.equal((await first).status, 200);
  assert.equal((await input.post('y'.repeat(900))).status, 200);
});
