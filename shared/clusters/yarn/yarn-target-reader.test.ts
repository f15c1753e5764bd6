import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Answer, AnsweringServer } from '../../../test/support/answering-server.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { openTargetReader } from '../open-cluster.ts';

const NEVER = new AbortController().signal;
const NOW = 1_795_248_000_000;
const RM = '/ws/v1/cluster';
const APP = 'application_1795247888953_0001';
const KILLED = 'application_1795247888953_0002';
const read = (path: string) => JSON.parse(readFileSync(sharedDataFile(path), 'utf8'));
const json = (path: string): Answer => ({ json: read(path) });
const info = (haState: string): Answer => ({
  json: { clusterInfo: { state: 'STARTED', haState } },
});

async function bench(answers: Record<string, Answer>, urls: readonly string[] = []) {
  const server = await AnsweringServer.open();
  server.set({ [`${RM}/info`]: json('yarn/info.json'), ...answers });
  const clock = new FakeClock(NOW);
  const settings = { timeoutMs: 1_000, maxAnswerBytes: 100_000, user: 'tollgate' };
  const all = [...urls, server.url];
  const reader = openTargetReader({ type: 'yarn', urls: all, ...settings }, clock);
  return { server, clock, reader, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const look = async (answer: Answer, id = APP) => {
  await using it = await bench({ [`${RM}/apps/${id}`]: answer });
  return await it.reader.application(id, NEVER);
};
const why = (sight: { outcome: string; why?: string }) => [sight.outcome, sight.why];

test('a running application is seen with its incarnation, queue and tags', async () => {
  await using it = await bench({ [`${RM}/apps/${APP}`]: json('yarn/running_app.json') });
  assert.deepEqual(await it.reader.application(APP, NEVER), {
    outcome: 'seen',
    state: 'running',
    finalState: '',
    startedAt: 1_795_247_919_022,
    name: 'await',
    user: 'alice',
    queue: 'root.default',
    tags: { env: 'test', team: 'payments' },
    at: NOW,
  });
  for (const { path } of it.server.requests) assert.match(path, /\?user\.name=tollgate$/);
});

test('one that was killed has ended so', async () => {
  const sight = await look(json('yarn/killed_app.json'), KILLED);
  assert.deepEqual(sight.outcome === 'seen' && [sight.state, sight.finalState], [
    'ended',
    'KILLED',
  ]);
});

test('only the manager’s own word that there is no such application is absence', async () => {
  const unknown = readFileSync(sharedDataFile('yarn/put_state_404_unknown.json'), 'utf8');
  assert.deepEqual(await look({ text: unknown, status: 404 }), { outcome: 'absent', at: NOW });
  const page = await look({ text: '<html>not found</html>', status: 404 });
  assert.deepEqual(why(page), ['unknown', '404']);
  const cut = await look({ breakOff: true, status: 404 });
  assert.deepEqual(why(cut), ['unknown', '404: {"half":']);
});

test('zeros that a missing right causes are no application', async () => {
  const id = 'application_1795248855005_0001';
  const [outcome, said] = why(await look(json('yarn/killed_app_seen_without_view_acl.json'), id));
  assert.deepEqual(
    [outcome, said],
    ['unknown', `no right to view ${id}: its times and sizes are 0`],
  );
});

test('what is no answer about it is unknown, with the reason', async () => {
  const away = { text: '', status: 302, headers: { location: 'http://127.0.0.1:9/sign-in' } };
  for (const [answer, said] of [
    [away, '302'],
    [{ text: 'busy', status: 503 }, '503: busy'],
    [{ breakOff: true }, `the answer is not ${APP}`],
    [{ hangUp: true }, 'the answer was lost: ECONNRESET'],
    [{ json: { app: null } }, `the answer is not ${APP}`],
    [{ text: '<html>sign in</html>' }, `the answer is not ${APP}`],
    [json('yarn/killed_app.json'), `the answer is not ${APP}`],
    [{ json: { app: { id: APP, note: 'x'.repeat(100_000) } } }, `the answer is not ${APP}`],
  ] as const) {
    assert.deepEqual(why(await look(answer)), ['unknown', said]);
  }
});

test('a manager that hangs makes it unknown, and leaves nobody waiting', async () => {
  await using it = await bench({ [`${RM}/apps/${APP}`]: { never: true } });
  const looking = it.reader.application(APP, NEVER);
  while (it.server.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await it.clock.advance(1_000);
  const sight = await looking;
  assert.deepEqual(why(sight), ['unknown', 'the answer was lost: no answer within 1000 ms']);
  assert.equal(it.clock.sleepers, 0);
});

test('only the active manager is asked about it; a standby’s word is none', async () => {
  await using standby = await AnsweringServer.open();
  standby.set({ [`${RM}/info`]: info('STANDBY') });
  const running = { [`${RM}/apps/${APP}`]: json('yarn/running_app.json') };
  await using it = await bench(running, [standby.url]);
  for (let n = 0; n < 2; n += 1) {
    assert.equal((await it.reader.application(APP, NEVER)).outcome, 'seen');
  }
  // The active one is remembered.
  assert.equal(standby.requests.length, 1);
  it.server.set({ [`${RM}/info`]: info('STANDBY') });
  const [outcome, said] = why(await it.reader.application(APP, NEVER));
  assert.equal(outcome, 'unknown');
  assert.match(said ?? '', /no ResourceManager is active: .* it is STANDBY; .* it is STANDBY/);
  assert.doesNotMatch(said ?? '', /user\.name/);
});

test('no address is made of what is no application id', async () => {
  await using it = await bench({});
  for (const id of ['', 'x', '../scheduler', 'application_1_1/state', 'app-20261121072159-0000']) {
    assert.deepEqual(why(await it.reader.application(id, NEVER)), [
      'unknown',
      'it is no YARN application id',
    ]);
  }
  assert.deepEqual(it.server.requests, []);
});

function scheduler(state: string, maxApplications = 100): Answer {
  const type = 'capacitySchedulerLeafQueueInfo';
  const queue = [{ type, queueName: 'etl', queuePath: 'root.etl', state, maxApplications }];
  return {
    json: { scheduler: { schedulerInfo: { type: 'capacityScheduler', queues: { queue } } } },
  };
}

test('a queue lets work in, or not, or that is not known', async () => {
  await using it = await bench({});
  for (const [answer, subject, expected] of [
    [json('yarn/scheduler.json'), 'root.default', 'open'],
    [json('yarn/scheduler.json'), 'default', 'open'],
    [json('yarn/scheduler.json'), 'root.other', 'there is no such queue'],
    [scheduler('STOPPED'), 'root.etl', 'denied'],
    [scheduler('DRAINING'), 'root.etl', 'denied'],
    [scheduler('RUNNING', 0), 'root.etl', 'denied'],
    [scheduler('NEW'), 'root.etl', 'the state of root.etl is “NEW”'],
    [{ text: 'busy', status: 503 }, 'root.etl', 'it tells no states of queues'],
  ] as const) {
    it.server.set({ [`${RM}/scheduler`]: answer });
    const sight = await it.reader.admission?.(subject, NEVER);
    const said = sight?.outcome === 'unknown' ? sight.why : sight?.outcome;
    assert.equal(said, expected, subject);
  }
});

test('the cluster runs since its manager’s start, and isn’t Tollgate’s to end', async () => {
  await using it = await bench({});
  const sight = await it.reader.cluster(NEVER);
  assert.ok(sight.outcome === 'seen');
  const { state, startedAt, activity, name } = sight;
  assert.deepEqual([state, sight.protected, startedAt], ['running', true, 1_795_247_888_953]);
  assert.deepEqual([activity, name], [[], `${it.server.url}/`]);
  it.server.set({ [`${RM}/info`]: { text: 'busy', status: 503 } });
  assert.equal((await it.reader.cluster(NEVER)).outcome, 'unknown');
});
