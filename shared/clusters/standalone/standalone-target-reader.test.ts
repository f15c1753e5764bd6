import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Answer, AnsweringServer } from '../../../test/support/answering-server.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { openTargetReader } from '../open-cluster.ts';
import { decodeMaster } from './decode-master.ts';
import { findTarget } from './find-target.ts';

const NEVER = new AbortController().signal;
const NOW = 1_795_248_000_000;
const RUNNING = 'app-20261121074952-0003';
const DRIVER = 'driver-20261121074949-0000';
const read = (path: string) => JSON.parse(readFileSync(sharedDataFile(path), 'utf8'));
const master = () => read('spark4/rest/master_json_with_cluster_driver.json');

async function bench(answer: Answer, urls: readonly string[] = []) {
  const server = await AnsweringServer.open();
  server.set({ '/json/': answer });
  const clock = new FakeClock(NOW);
  const settings = { timeoutMs: 1_000, maxAnswerBytes: 100_000, urls: [...urls, server.url] };
  const reader = openTargetReader({ type: 'standalone', ...settings }, clock);
  return { server, clock, reader, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const look = async (answer: Answer, id = RUNNING) => {
  await using it = await bench(answer);
  return await it.reader.application(id, NEVER);
};
const saidOf = (sight: { outcome: string; why?: string }) => sight.why ?? sight.outcome;

test('an application, running or killed, and a driver are seen with their incarnations', async () => {
  const common = { outcome: 'seen', queue: '', tags: {}, at: NOW };
  assert.deepEqual(await look({ json: master() }), {
    ...common,
    ...{ state: 'running', finalState: '', startedAt: 1_795_247_392_896 },
    ...{ name: 'jstream', user: 'root' },
  });
  assert.deepEqual(await look({ json: master() }, 'app-20261121072351-0001'), {
    ...common,
    ...{ state: 'ended', finalState: 'KILLED', startedAt: 1_795_245_831_361 },
    ...{ name: 'await', user: 'root' },
  });
  assert.deepEqual(await look({ json: master() }, DRIVER), {
    ...common,
    ...{ state: 'running', finalState: '', startedAt: 1_795_247_389_920 },
    ...{ name: 'tg.StreamMain', user: '' },
  });
});

test('a driver that ended, waits or starts anew is told apart', async () => {
  for (const [state, completed, expected] of [
    ['KILLED', true, ['ended', 'KILLED']],
    ['FAILED', true, ['ended', 'FAILED']],
    ['SUBMITTED', false, ['waiting', '']],
    ['RELAUNCHING', false, ['waiting', '']],
  ] as const) {
    const { activedrivers, ...rest } = master();
    const rows = [{ ...activedrivers[0], state }];
    const lists = completed ? { completeddrivers: rows } : { activedrivers: rows };
    const sight = await look({ json: { ...rest, ...lists } }, DRIVER);
    assert.deepEqual(sight.outcome === 'seen' && [sight.state, sight.finalState], expected);
  }
});

test('what the whole answer of the ALIVE master doesn’t list is absent', async () => {
  const id = 'app-20261121074952-0009';
  assert.deepEqual(await look({ json: master() }, id), { outcome: 'absent', at: NOW });
  const nameless = master();
  nameless.activeapps.push({ starttime: 1, state: 'RUNNING' });
  assert.equal(saidOf(await look({ json: nameless }, id)), 'the master lists rows without an id');
});

test('a state that a recovering master does not know, and an id listed twice, are unknown', async () => {
  const recovering = master();
  recovering.activeapps[0].state = 'UNKNOWN';
  assert.equal(saidOf(await look({ json: recovering })), 'its state is “UNKNOWN”');
  const twice = master();
  twice.completedapps.push({ ...twice.activeapps[0], state: 'KILLED' });
  assert.equal(saidOf(await look({ json: twice })), `${RUNNING} is listed twice`);
});

test('what is no answer of a master that is ALIVE is unknown, with the reason', async () => {
  const idle = { workers: [], activeapps: [], completedapps: [] };
  const away = { text: '', status: 302, headers: { location: 'http://127.0.0.1:9/' } };
  for (const [answer, said] of [
    [{ json: { ...idle, status: 'STANDBY' } }, /it is STANDBY/],
    [{ json: { ...idle, status: 'COMPLETING_RECOVERY' } }, /it is COMPLETING_RECOVERY/],
    [{ text: 'Spark is starting up. Please wait a while until it’s ready.' }, /is starting up/],
    [{ json: master(), cutAt: 500 }, /says 200/],
    [{ breakOff: true }, /says 200/],
    [{ hangUp: true }, /the answer was lost/],
    [{ text: 'busy', status: 503 }, /503: busy/],
    [away, /says 302/],
    [{ json: { ...master(), note: 'x'.repeat(100_000) } }, /says 200/],
  ] as const) {
    const sight = await look(answer);
    assert.equal(sight.outcome, 'unknown');
    assert.match(saidOf(sight), said);
  }
});

test('of several masters the ALIVE one is asked, and kept', async () => {
  await using standby = await AnsweringServer.open();
  standby.set({ '/json/': { json: { workers: [], activeapps: [], status: 'STANDBY' } } });
  await using it = await bench({ json: master() }, [standby.url]);
  for (let n = 0; n < 2; n += 1) {
    assert.equal((await it.reader.application(RUNNING, NEVER)).outcome, 'seen');
  }
  assert.equal(standby.requests.length, 1);
});

test('what is no id of an application or a driver is not looked for', async () => {
  for (const id of ['', 'app-1', 'driver-20261121074949', 'application_1_1', `${RUNNING} `]) {
    assert.equal(
      saidOf(await look({ json: master() }, id)),
      'it is no id of an application or a driver',
    );
  }
});

test('the cluster is seen as one that isn’t Tollgate’s to end, and lets everybody in', async () => {
  await using it = await bench({ json: master() });
  const sight = await it.reader.cluster(NEVER);
  assert.ok(sight.outcome === 'seen');
  const { name, state, activity } = sight;
  assert.deepEqual([name, state, sight.protected], ['spark://127.0.0.1:7077', 'running', true]);
  assert.deepEqual([activity, it.reader.admission], [[], undefined]);
  it.server.set({ '/json/': { text: 'busy', status: 503 } });
  assert.equal((await it.reader.cluster(NEVER)).outcome, 'unknown');
});

test('whatever a master lists, a target is seen, absent or unknown, and nothing throws', () => {
  const hostile = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(hostile, hostile, fc.boolean(), (a, b, isDriver) => {
      const id = isDriver ? DRIVER : RUNNING;
      const row = { ...(typeof a === 'object' ? a : {}), id };
      const lists = {
        activeapps: [row, b],
        completedapps: b,
        activedrivers: [row],
        completeddrivers: b,
      };
      const state = decodeMaster({ workers: [], status: 'ALIVE', ...lists });
      assert.ok(typeof state === 'object');
      const target = findTarget(state, id);
      assert.ok(target !== undefined);
      if (typeof target === 'object') assert.match(target.state, /^(waiting|running|ended)$/);
    }),
  );
});
