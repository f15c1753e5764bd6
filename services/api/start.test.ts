import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Router } from 'express';
import { restStatus } from '../../shared/contracts/rest.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { problemOf } from '../../test/support/problem-of.ts';
import { runningApi } from '../../test/support/running-api.ts';
import { startApi } from './start.ts';

test('the status tells version, mode and the time that Tollgate goes by', async () => {
  await using api = await runningApi();
  const status = await api.get('/v1/status', restStatus);
  assert.deepEqual(status, {
    version: '1.2.3',
    mode: 'start',
    now: new Date(api.clock.now()).toISOString(),
    startedAt: new Date(api.clock.now()).toISOString(),
  });
});

test('a process that lives is not always ready, and says why', async () => {
  const reasons: string[] = [];
  await using api = await runningApi({ parts: { notReady: () => reasons } });
  assert.equal((await fetch(`${api.url}/livez`)).status, 200);
  assert.equal((await fetch(`${api.url}/readyz`)).status, 200);
  reasons.push('logs: the thread has ended');
  const answer = await fetch(`${api.url}/readyz`);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /logs: the thread has ended/);
  assert.equal((await fetch(`${api.url}/livez`)).status, 200);
});

test('requests are counted by route, whatever ids and addresses they name', async () => {
  await using api = await runningApi();
  for (const path of ['/v1/projects/a', '/v1/projects/b', '/nothing/1', '/nothing/2']) {
    await fetch(api.url + path);
  }
  const text = await (await fetch(`${api.url}/metrics`)).text();
  const line = (route: string) =>
    `tollgate_http_requests_total{method="GET",route="${route}",status="404"} 2`;
  assert.ok(text.includes(line('/v1/projects/:project')), text);
  assert.ok(text.includes(line('other')), text);
});

test('addresses and methods that are not there answer as problems', async () => {
  await using api = await runningApi();
  await problemOf(await fetch(`${api.url}/v1/nothing`), 404);
  const wrong = await fetch(`${api.url}/v1/projects`, { method: 'DELETE' });
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD');
  await problemOf(wrong, 405);
  await problemOf(await fetch(`${api.url}/v1/projects/%E0%A4%A`), 400);
});

test('a body that is no JSON, or no JSON by its type, is refused', async () => {
  await using api = await runningApi();
  const post = (type: string, body: string) =>
    fetch(`${api.url}/v1/projects/etl/grants`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': type },
    });
  await problemOf(await post('application/json', '{"id":'), 400);
  await problemOf(await post('text/plain', '{"id":"a","credits":"1"}'), 415);
  await problemOf(await post('application/json', `{"id":"${'x'.repeat(100_000)}"}`), 413);
});

test('an error that nobody foresaw says nothing of the inside, and is logged', async () => {
  const logged: unknown[] = [];
  const logger = { ...silentLogger, error: (entry: unknown) => logged.push(entry) };
  const ingest = Router();
  ingest.get('/boom', () => {
    throw new Error('secret inside');
  });
  ingest.get('/full', () => {
    throw new AppError('OVERLOADED', 'full', { details: { retryAfterMs: 2_500 } });
  });
  await using api = await runningApi({ parts: { ingest, logger: logger as never } });
  const problem = await problemOf(await fetch(`${api.url}/boom`), 500);
  assert.doesNotMatch(JSON.stringify(problem), /secret/);
  assert.match(JSON.stringify(logged), /secret inside/);
  const full = await fetch(`${api.url}/full`);
  assert.equal(full.headers.get('retry-after'), '3');
  await problemOf(full, 429);
});

test('the page comes with a policy that lets nothing inline or foreign run', async () => {
  await using api = await runningApi();
  const page = await fetch(`${api.url}/`);
  assert.match(await page.text(), /<title>/);
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(page.headers.get('x-powered-by'), null);
  for (const path of ['/README.md', '/tsconfig.json', '/../package.json', '/%2e%2e/config.ts']) {
    assert.equal((await fetch(api.url + path)).status, 404, path);
  }
});

test('a name that was made to point here is not answered', async () => {
  await using api = await runningApi();
  const { port } = new URL(api.url);
  const status = await new Promise((resolve, reject) => {
    request({ port, path: '/v1/projects', headers: { Host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  assert.equal(status, 403);
});

test('a port that is taken is named with the option that changes it', async () => {
  await using api = await runningApi();
  const port = Number(new URL(api.url).port);
  const again = startApi({ host: '127.0.0.1', port }, api.deps, {
    logger: silentLogger,
    doors: api.doors,
    webRoot: '.',
    moduleFiles: {},
    ingest: undefined,
    notReady: () => [],
    printMetrics: async () => '',
  });
  await assert.rejects(again, (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'PORT_TAKEN');
    assert.match(error.message, new RegExp(`${port}.*--port`));
    return true;
  });
});

test('stopping does not wait for idle connections', async () => {
  const api = await runningApi();
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await fetch(`${api.url}/livez`);
  await api[Symbol.asyncDispose]();
  socket.destroy();
  await closed;
  await assert.rejects(fetch(`${api.url}/livez`));
});
