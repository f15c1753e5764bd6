import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import express, { type ErrorRequestHandler } from 'express';
import { AppError } from '../../../shared/errors/app-error.ts';
import { CODES } from '../../../shared/errors/codes.ts';
import { openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { applicationFact } from '../../../test/support/fact-builders.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import { AgentBook } from './agent-book.ts';
import { createHeartbeatInput } from './heartbeat-input.ts';

const HOUR = 3_600_000;

/** The input on a socket and a real store of orders. `app-1` is the project `etl`’s. */
async function listening(bound?: readonly string[]) {
  await using resources = new AsyncDisposableStack();
  const clock = new FakeClock();
  const metrics = new Metrics();
  const { stopOrders, journalReader, journalWriter } = resources.use(
    await openLedger({ file: ':memory:' }),
  );
  const project = 'etl' as ProjectId;
  const seen = applicationFact('application-seen', 0, { cluster: 'lab', project, rule: 0 });
  await journalWriter.record(journalBatch({ facts: [seen] }), clock.now());
  const book = new AgentBook({ orders: stopOrders, known: journalReader, clock, metrics });
  const app = express();
  app.use(createHeartbeatInput({ book, projectsOf: () => bound as ProjectId[] | undefined }));
  const fail: ErrorRequestHandler = (error, _request, response, _next) => {
    assert.ok(error instanceof AppError, String(error));
    response.status(CODES[error.code].status).json({ text: error.message });
  };
  app.use(fail);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  resources.defer(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/ingest/heartbeats`;
  const send = async (body: string | object, more: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { 'content-encoding': 'gzip', 'tollgate-cluster': 'lab', ...more };
    const response = await fetch(url, { method: 'POST', headers, body: gzipSync(text) });
    return { status: response.status, body: (await response.json()) as { orders: object[] } };
  };
  const order = (more: object = {}) =>
    stopOrders.order({
      ...{ id: 's1', cluster: 'lab', application: 'app-1', withinMs: 9_000, force: false },
      ...{ orderedBy: '', orderedAt: clock.now(), ...more },
    });
  const open = resources.move();
  const end = (): Promise<void> => open.disposeAsync();
  return { clock, metrics, stopOrders, url, send, order, [Symbol.asyncDispose]: end };
}

const beat = (more: object = {}) => ({ protocol: 1, application: 'app-1', at: 1, ...more });
const stopOrder = { id: 's1', kind: 'stop', withinMs: 9_000, force: false };

test('an agent hears its application’s orders until it speaks of them', async () => {
  await using input = await listening();
  assert.deepEqual((await input.send(beat())).body, { orders: [] });
  await input.order();
  await input.clock.advance(1_000);
  assert.deepEqual((await input.send(beat())).body, { orders: [stopOrder] });
  assert.deepEqual(
    (await input.send(beat())).body,
    { orders: [stopOrder] },
    'an answer may be lost',
  );
  for (const other of [{ application: 'app-2' }, {}]) {
    const place = 'application' in other ? {} : { 'tollgate-cluster': 'other' };
    assert.deepEqual((await input.send(beat(other), place)).body, { orders: [] });
  }
  const stopping = { order: 's1', state: 'stopping', message: '2 queries' };
  assert.deepEqual((await input.send(beat({ stop: stopping }))).body, { orders: [] });
  const stopped = { order: 's1', state: 'stopped', clean: true, message: 'done' };
  await input.send(beat({ stop: stopped, ended: true }));
  await input.send(beat({ stop: stopping }));
  const [told] = await input.stopOrders.ofApplication('lab', 'app-1');
  assert.deepEqual([told?.state, told?.clean, told?.message], ['stopped', true, 'done']);
});

test('an order that nobody took for an hour is not handed on', async () => {
  await using input = await listening();
  await input.order();
  await input.clock.advance(HOUR + 1_000);
  assert.deepEqual((await input.send(beat())).body, { orders: [] });
});

test('a token of another project neither hears an order nor speaks for the application', async () => {
  await using foreign = await listening(['ml']);
  await foreign.order();
  const stop = { order: 's1', state: 'stopped', clean: true };
  assert.deepEqual((await foreign.send(beat({ stop }))).body, { orders: [] });
  assert.equal((await foreign.stopOrders.ofApplication('lab', 'app-1'))[0]?.state, 'ordered');
  await using own = await listening(['etl']);
  await own.order();
  assert.deepEqual((await own.send(beat())).body, { orders: [stopOrder] });
});

test('lines that agents lost are counted once, and agents while they are heard of', async () => {
  await using input = await listening();
  const value = (name: string): number => [...input.metrics.values(name)][0]?.[1] ?? 0;
  await input.send(beat({ dropped: { containers: 2, progress: 3 } }));
  await input.send(beat({ dropped: { containers: 2, progress: 4 } }));
  await input.send(beat({ application: 'app-2' }));
  assert.equal(value('tollgate_agent_lines_lost_total'), 6);
  assert.equal(value('tollgate_agents'), 2);
  await input.clock.advance(61_000);
  await input.send(beat({ application: 'app-3' }));
  assert.equal(value('tollgate_agents'), 1);
  await input.send(beat({ application: 'app-3', ended: true }));
  assert.equal(value('tollgate_agents'), 0);
});

test('a newer agent’s heartbeat is understood as far as known; anything else is told what is wrong', async () => {
  await using input = await listening();
  const newer = beat({ protocol: 9, mood: 'fine' });
  assert.equal((await input.send(newer)).status, 200);
  const bad = [
    'no JSON',
    '[]',
    beat({ application: '' }),
    beat({ at: 'now' }),
    beat({ dropped: 3 }),
  ];
  for (const body of [...bad, `{"x":"${'y'.repeat(70_000)}"}`]) {
    const { status } = await input.send(body);
    assert.ok(status === 400 || status === 413, JSON.stringify(body).slice(0, 80));
  }
  assert.equal((await input.send(beat(), { 'tollgate-cluster': 'a b' })).status, 400);
  assert.equal((await fetch(input.url)).status, 405);
});
