import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Router } from 'express';
import { restStatus } from '../../shared/contracts/rest.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { problemOf } from '../../test/support/problem-of.ts';
import { runningApi } from '../../test/support/running-api.ts';
import { type ApiDeps, type AppParts, startApi } from './start.ts';

/** Enough to build the routes, none of which is asked. */
const deps = { pools: [], clusters: [] } as unknown as ApiDeps;
const doors = { isLocal: true, isSecure: false, adminLink: undefined };
const parts = {
  ...{ doors, moduleFiles: {}, webRoot: import.meta.dirname },
} as unknown as AppParts;

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

test('a port that is taken is named with the option that changes it', async () => {
  await using api = await runningApi();
  const port = Number(new URL(api.url).port);
  await assert.rejects(startApi({ host: '127.0.0.1', port }, deps, parts), (error) => {
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

test('an address that this machine does not have is an error of the configuration', async () => {
  // An address for documentation (RFC 5737), which no machine has.
  await assert.rejects(
    startApi({ host: '192.0.2.1', port: 0, insecure: true }, deps, parts),
    (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.match(error.message, /192\.0\.2\.1 .* api\.host/);
      return true;
    },
  );
});

test('an IPv6 address is written in its url as urls do', async () => {
  await using api = await startApi({ host: '::1', port: 0 }, deps, parts);
  assert.match(api.url, /^http:\/\/\[::1\]:\d+$/);
  assert.equal((await fetch(`${api.url}/livez`)).status, 200);
});

test('closing answers what is being asked, then takes nothing more; again, it does nothing', async () => {
  let asked: (() => void) | undefined;
  let release: (() => void) | undefined;
  const waiting = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const held = new Promise<string>((resolve) => {
    release = () => resolve('late 1\n');
  });
  const printMetrics = (): Promise<string> => {
    asked?.();
    return held;
  };
  const own = { ...parts, printMetrics };
  const api = await startApi({ host: '127.0.0.1', port: 0 }, deps, own);
  const answer = fetch(`${api.url}/metrics`);
  await waiting;
  const closed = api[Symbol.asyncDispose]();
  await assert.rejects(fetch(`${api.url}/livez`), 'no new connection');
  release?.();
  assert.equal(await (await answer).text(), 'late 1\n');
  await closed;
  await api[Symbol.asyncDispose]();
});
