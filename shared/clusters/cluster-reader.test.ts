import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AnsweringServer } from '../../test/support/answering-server.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { sharedDataFile } from '../../test/support/shared-data.ts';
import { AppError } from '../errors/app-error.ts';
import { openCluster } from './open-cluster.ts';
import { tagsFromText } from './tags-from-text.ts';

const NEVER = new AbortController().signal;
const read = (path: string) => JSON.parse(readFileSync(sharedDataFile(path), 'utf8'));
const json = (path: string) => ({ json: read(path) });
const RM = '/ws/v1/cluster';
const APP = 'application_1795247888953_0001';
const CONTAINERS = `${RM}/apps/${APP}/appattempts/appattempt_1795247888953_0001_000001/containers`;
const NOW = 1_795_247_929_200;
const NONE_OPEN = new Map<string, Set<string>>();

async function cluster(type: 'yarn' | 'standalone', more: { user?: string; urls?: string[] } = {}) {
  const server = await AnsweringServer.open();
  const settings = {
    type,
    urls: more.urls ?? [server.url],
    user: more.user,
    readWorkers: true,
    timeoutMs: 1_000,
    maxAnswerBytes: 10_000_000,
    parallelRequests: 2,
  };
  const reader = openCluster(settings, new FakeClock(NOW));
  return { server, reader };
}

function runningYarn(server: AnsweringServer): void {
  server.set({
    [`${RM}/metrics`]: json('yarn/metrics.json'),
    [`${RM}/apps`]: json('yarn/running_apps.json'),
    [`${RM}/nodes`]: json('yarn/nodes.json'),
    [CONTAINERS]: json('yarn/attempt_containers.json'),
  });
}

const reasons = (snapshot: { problems: readonly { reason: string; subject: string }[] }) =>
  snapshot.problems.map(({ reason, subject }) => `${reason} ${subject}`);

test('a running YARN cluster is seen whole: application, containers, node, load', async () => {
  const { server, reader } = await cluster('yarn', { user: 'tollgate' });
  await using _ = server;
  runningYarn(server);
  const seen = await reader.snapshot(NONE_OPEN, NEVER);
  assert.equal(seen.at, NOW);
  assert.equal(seen.listed, true);
  assert.deepEqual([...seen.answered], [APP]);
  assert.deepEqual(seen.problems, []);
  assert.equal(seen.applications.length, 1);
  assert.deepEqual(
    seen.containers.map(({ role }) => role),
    ['executor', 'application-master'],
  );
  assert.equal(seen.nodes?.length, 1);
  assert.equal(seen.load?.capacity.memoryMib, 6_144);
  assert.equal(server.asked.length, 4);
  for (const path of server.asked) assert.match(path, /user\.name=tollgate/);
});

test('a manager that can’t be asked gives no facts and no absence', async () => {
  const { server, reader } = await cluster('yarn');
  await using _ = server;
  server.set({ [`${RM}/metrics`]: { text: 'busy', status: 503 } });
  const seen = await reader.snapshot(new Map([[APP, new Set(['1'])]]), NEVER);
  assert.equal(seen.listed, false);
  assert.equal(seen.answered.size, 0);
  assert.equal(seen.load, undefined);
  assert.equal(seen.nodes, undefined);
  assert.deepEqual(reasons(seen), ['bad-status metrics']);
});

test('an application whose containers can’t be read is failed, and the others are seen', async () => {
  const { server, reader } = await cluster('yarn');
  await using _ = server;
  runningYarn(server);
  const apps = read('yarn/running_apps.json');
  const [first] = apps.apps.app;
  const other = 'application_1795247888953_0009';
  const second = JSON.parse(JSON.stringify(first).replaceAll('_0001', '_0009'));
  server.set({ [`${RM}/apps`]: { json: { apps: { app: [first, second] } } } });
  const seen = await reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual([...seen.answered], [APP]);
  assert.deepEqual([...seen.failed], [other]);
  assert.deepEqual(reasons(seen), [`bad-status ${other}`]);
  assert.equal(seen.containers.length, 2);
});

test('an application without view right is named, and neither metered as zero nor gone', async () => {
  const { server, reader } = await cluster('yarn');
  await using _ = server;
  runningYarn(server);
  const { app } = read('yarn/killed_app_seen_without_view_acl.json');
  server.set({ [`${RM}/apps`]: { json: { apps: { app: [{ ...app, state: 'RUNNING' }] } } } });
  const seen = await reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(reasons(seen), ['no-view-right application_1795248855005_0001']);
  assert.deepEqual(seen.applications, []);
  assert.deepEqual([...seen.failed], ['application_1795248855005_0001']);
});

test('an open application that left the list is asked after: ended, forgotten, or not answered', async () => {
  const { server, reader } = await cluster('yarn');
  await using _ = server;
  runningYarn(server);
  const [ended, forgotten, broken] = ['2', '3', '4'].map(
    (n) => `application_1795247888953_000${n}`,
  );
  server.set({
    [`${RM}/apps`]: { json: { apps: null } },
    [`${RM}/apps/${ended}`]: json('yarn/killed_app.json'),
    [`${RM}/apps/${broken}`]: { text: 'busy', status: 500 },
  });
  const open = new Map([ended, forgotten, broken].map((id) => [id ?? '', new Set(['1'])]));
  const seen = await reader.snapshot(open, NEVER);
  assert.equal(seen.listed, true);
  assert.deepEqual(
    seen.applications.map(({ application, state, endedAt }) => [application, state, endedAt]),
    [[ended, 'ended', 1_795_247_993_365]],
  );
  assert.deepEqual([...seen.answered], [ended]);
  assert.deepEqual([...seen.failed], [broken]);
});

test('attempts are read when an older one is open, and when the row names none', async () => {
  const { server, reader } = await cluster('yarn');
  await using _ = server;
  runningYarn(server);
  const id = 'application_1795248855005_0001';
  const row = read('yarn/app_second_attempt.json').app;
  const attempts = `${RM}/apps/${id}/appattempts`;
  server.set({
    [`${RM}/apps`]: { json: { apps: { app: [row] } } },
    [attempts]: json('yarn/two_attempts.json'),
    [`${attempts}/appattempt_1795248855005_0001_000002/containers`]: { json: { container: [] } },
  });
  const first = await reader.snapshot(NONE_OPEN, NEVER);
  assert.equal(server.asked.includes(attempts), false);
  assert.deepEqual([...first.answered], [id]);
  const second = await reader.snapshot(new Map([[id, new Set(['1'])]]), NEVER);
  assert.deepEqual([...(second.applications[0]?.endedAttempts ?? [])], [['1', 1_795_248_906_399]]);
  const { amContainerLogs: _logs, ...unnamed } = row;
  server.set({ [`${RM}/apps`]: { json: { apps: { app: [unnamed] } } } });
  const third = await reader.snapshot(NONE_OPEN, NEVER);
  assert.equal(third.applications[0]?.attempt, '2');
  assert.deepEqual([...third.answered], [id]);
});

test('an old manager is asked for open requests, a new one is spared them', async () => {
  const { server, reader } = await cluster('yarn');
  await using _ = server;
  runningYarn(server);
  await reader.snapshot(NONE_OPEN, NEVER);
  assert.ok(server.asked.some((path) => path.includes('deSelects=resourceRequests')));
  server.asked.length = 0;
  server.set({ [`${RM}/metrics`]: json('yarn-rm/hadoop-docs-3.2/cluster-metrics.json') });
  await reader.snapshot(NONE_OPEN, NEVER);
  assert.equal(
    server.asked.some((path) => path.includes('deSelects')),
    false,
  );
});

test('of two managers the one that answers is asked, and kept', async () => {
  const away = await AnsweringServer.open();
  await using _away = away;
  const alive = await AnsweringServer.open();
  await using _alive = alive;
  const { server, reader } = await cluster('yarn', { urls: [away.url, alive.url] });
  await using _ = server;
  runningYarn(alive);
  assert.equal((await reader.snapshot(NONE_OPEN, NEVER)).listed, true);
  assert.equal((await reader.snapshot(NONE_OPEN, NEVER)).listed, true);
  assert.equal(away.asked.length, 1);
});

const APP_ID = 'app-20261121072159-0000';
const WORKER = 'worker-20261121072152-127.0.0.1-41851';

function runningStandalone(server: AnsweringServer): void {
  const state = read('spark4/rest/master_json_running.json');
  state.workers[0].webuiaddress = `${server.url}/worker`;
  server.set({
    '/json/': { json: state },
    '/worker/json/': json('spark4/rest/worker_json.json'),
  });
}

test('a running standalone cluster is seen whole, with the cores that nobody tells', async () => {
  const { server, reader } = await cluster('standalone');
  await using _ = server;
  runningStandalone(server);
  const seen = await reader.snapshot(NONE_OPEN, NEVER);
  assert.equal(seen.listed, true);
  assert.deepEqual([...seen.answered], [WORKER]);
  assert.deepEqual(
    seen.containers.map(({ container, resources, sizeCertain, scope, startedAt }) => {
      return [container, resources, sizeCertain, scope, startedAt];
    }),
    ['0', '1'].map((executor) => [
      `${APP_ID}//${executor}`,
      { millicores: 1_000, memoryMib: 700, gpus: 0 },
      true,
      WORKER,
      undefined,
    ]),
  );
  assert.deepEqual(seen.nodes, [
    { node: WORKER, capacity: { millicores: 2_000, memoryMib: 3_072, gpus: 0 } },
  ]);
});

test('a worker that does not answer is failed: its executors are neither seen nor gone', async () => {
  const { server, reader } = await cluster('standalone');
  await using _ = server;
  runningStandalone(server);
  server.set({ '/worker/json/': { breakOff: true } });
  const seen = await reader.snapshot(NONE_OPEN, NEVER);
  assert.equal(seen.listed, true);
  assert.deepEqual([...seen.failed], [WORKER]);
  assert.deepEqual(seen.containers, []);
  assert.deepEqual(reasons(seen), [`unreachable ${WORKER}`]);
  assert.equal(seen.load?.allocated.millicores, 2_000);
  const stranger = { ...read('spark4/rest/worker_json.json'), id: 'worker-another' };
  server.set({ '/worker/json/': { json: stranger } });
  assert.deepEqual([...(await reader.snapshot(NONE_OPEN, NEVER)).failed], [WORKER]);
});

test('a master that starts up, stands by or recovers gives no facts', async () => {
  const { server, reader } = await cluster('standalone');
  await using _ = server;
  const idle = { workers: [], activeapps: [] };
  for (const [answer, reason] of [
    [{ text: 'Spark is starting up. Please wait a while until it’s ready.' }, 'starting-up'],
    [{ json: { ...idle, status: 'STANDBY' } }, 'standby'],
    [{ json: { ...idle, status: 'COMPLETING_RECOVERY' } }, 'standby'],
    [{ json: { something: 'else' } }, 'not-understood'],
  ] as const) {
    server.set({ '/json/': answer });
    const seen = await reader.snapshot(NONE_OPEN, NEVER);
    assert.equal(seen.listed, false);
    assert.equal(seen.load, undefined);
    assert.deepEqual(reasons(seen), [`${reason} ${server.url}`]);
  }
});

test('a driver that the cluster runs is named, since the master does not say whose it is', async () => {
  const { server, reader } = await cluster('standalone');
  await using _ = server;
  const state = read('spark4/rest/master_json_with_cluster_driver.json');
  state.workers[0].webuiaddress = server.url;
  const worker = read('spark4/rest/worker_json.json');
  const [executor] = worker.executors;
  worker.executors = [{ ...executor, appid: 'app-20261121074952-0003' }];
  // The master and its worker can't share one address in this test: the worker answers below /w.
  state.workers[0].webuiaddress = `${server.url}/w`;
  server.set({ '/json/': { json: state }, '/w/json/': { json: worker } });
  const seen = await reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(reasons(seen), ['driver-without-application driver-20261121074949-0000']);
  assert.deepEqual(
    seen.containers.map(({ resources }) => resources.millicores),
    [1_000],
  );
});

test('a cluster without a usable address is refused before anything starts', () => {
  const settings = {
    readWorkers: true,
    timeoutMs: 1,
    maxAnswerBytes: 1,
    parallelRequests: 1,
    type: 'yarn' as const,
  };
  for (const urls of [[], ['rm:8088'], ['file:///etc/passwd']]) {
    assert.throws(
      () => openCluster({ ...settings, urls }, new FakeClock()),
      (error) => error instanceof AppError && error.code === 'CONFIG_INVALID',
    );
  }
});

test('tags are read from text, the first of a repeated key stands, hostile keys are data', () => {
  assert.deepEqual(tagsFromText('env:test, team=payments,solo,env:again,,:x'), {
    env: 'test',
    team: 'payments',
    solo: '',
  });
  const hostile = tagsFromText('__proto__:polluted');
  assert.equal(Object.getOwnPropertyDescriptor(hostile, '__proto__')?.value, 'polluted');
  assert.equal(Object.getPrototypeOf(hostile), Object.prototype);
});
