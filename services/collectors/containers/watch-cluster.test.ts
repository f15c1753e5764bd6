import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { AnsweringServer } from '../../../test/support/answering-server.ts';
import { ContainersBench } from '../../../test/support/containers-bench.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';

const read = (path: string) => JSON.parse(readFileSync(sharedDataFile(path), 'utf8'));
const RM = '/ws/v1/cluster';
const POLL_MS = 5_000;
const APP = 'application_1795248855005_0001';
const START = 1_795_248_887_000;

const containerId = (attempt: number, n: number) =>
  `container_1795248855005_0001_0${attempt}_00000${n}`;

/** A manager with one application, in the shapes of the recorded answers. */
class Manager {
  readonly server: AnsweringServer;
  readonly #row = read('yarn/running_app.json').app;

  constructor(server: AnsweringServer) {
    this.server = server;
    server.set({
      [`${RM}/metrics`]: { json: read('yarn/metrics.json') },
      [`${RM}/nodes`]: { json: read('yarn/nodes.json') },
    });
    this.idle();
  }

  idle(): void {
    this.server.set({ [`${RM}/apps`]: { json: { apps: {} } } });
  }

  row(attempt: number, more: object = {}): object {
    return {
      ...this.#row,
      id: APP,
      startedTime: START,
      amContainerLogs: `http://localhost:8042/node/containerlogs/${containerId(attempt, 1)}/alice`,
      ...more,
    };
  }

  #path(attempt: number): string {
    return `${RM}/apps/${APP}/appattempts/appattempt_1795248855005_0001_00000${attempt}/containers`;
  }

  /** One attempt with these containers, all started a second after one another. */
  running(attempt: number, numbers: readonly number[], now: number): void {
    const container = numbers.map((n) => ({
      containerId: containerId(attempt, n),
      allocatedMB: 1_024,
      allocatedVCores: 1,
      assignedNodeId: 'localhost:40917',
      startedTime: START + attempt * 20_000 + n * 1_000,
      elapsedTime: now - (START + attempt * 20_000 + n * 1_000),
      finishedTime: 0,
      containerState: 'RUNNING',
    }));
    this.server.set({
      [`${RM}/apps`]: { json: { apps: { app: [this.row(attempt)] } } },
      [this.#path(attempt)]: { json: { container } },
    });
  }

  failContainers(attempt: number): void {
    this.server.set({ [this.#path(attempt)]: { breakOff: true } });
  }
}

async function bench(now = START + 30_000) {
  const server = await AnsweringServer.open();
  const collector = await ContainersBench.open(now);
  const config = {
    clusters: [
      {
        id: 'main',
        type: 'yarn',
        urls: [server.url],
        pollIntervalMs: POLL_MS,
        goneAfterMs: 10_000,
      },
    ],
    attribution: [{ tags: { team: 'payments' }, project: 'etl' }],
  } as const;
  const looks = () => collector.value('tollgate_cluster_looks_total');
  /** Lets the watcher look once more, and waits until that look is stored. */
  const look = async () => {
    const before = looks();
    if (before === 0) await collector.until(() => looks() === 1);
    else {
      await collector.clock.advance(POLL_MS);
      await collector.until(() => looks() === before + 1);
    }
    // It sleeps again once the look is in the journal.
    await collector.until(() => collector.clock.sleepers === 1);
  };
  const start = () => collector.start({ ...config, attribution: [...config.attribution] });
  return {
    server,
    collector,
    manager: new Manager(server),
    look,
    start,
    async [Symbol.asyncDispose]() {
      await collector[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const brief = (facts: readonly { kind: string; container: string; at: number; reason: string }[]) =>
  facts.map(({ kind, container, at, reason }) => [kind, container, at - START, reason]);
const STARTED = 'container-started';
const STOPPED = 'container-stopped';

test('an application’s life is journaled: start, second attempt, end, exactly as the manager tells it', async () => {
  await using it = await bench(START + 31_000);
  const { manager, collector, look } = it;
  const now = () => collector.clock.now();
  await it.start();
  manager.running(1, [1, 2], START + 31_000);
  await look();
  manager.running(1, [1, 2], START + 36_000);
  await look();
  assert.equal(await collector.evidence('main', containerId(1, 2)), START + 36_000);
  // The first attempt dies; the second has containers of its own.
  manager.running(2, [1, 2], now() + POLL_MS);
  const attempts = read('yarn/two_attempts.json');
  attempts.appAttempts.appAttempt[0].finishedTime = START + 38_500;
  it.server.set({ [`${RM}/apps/${APP}/appattempts`]: { json: attempts } });
  await look();
  it.manager.idle();
  it.server.set({
    [`${RM}/apps/${APP}`]: {
      json: { app: manager.row(2, { state: 'FINISHED', finishedTime: START + 44_321 }) },
    },
  });
  await look();
  assert.deepEqual(brief(await collector.facts(STARTED, STOPPED)), [
    [STARTED, containerId(1, 1), 21_000, ''],
    [STARTED, containerId(1, 2), 22_000, ''],
    [STARTED, containerId(2, 1), 41_000, ''],
    [STARTED, containerId(2, 2), 42_000, ''],
    [STOPPED, containerId(1, 1), 38_500, 'attempt ended'],
    [STOPPED, containerId(1, 2), 38_500, 'attempt ended'],
    [STOPPED, containerId(2, 1), 44_321, 'application ended'],
    [STOPPED, containerId(2, 2), 44_321, 'application ended'],
  ]);
  const applications = await collector.facts('application-seen', 'application-ended');
  assert.deepEqual(
    applications.map(({ kind, attempt, project, rule, tags, at }) => {
      return [kind, attempt, project, rule, tags['env'], at - START];
    }),
    [
      ['application-seen', '1', 'etl', 0, 'test', 0],
      ['application-seen', '2', 'etl', 0, 'test', 0],
      ['application-ended', '2', 'etl', 0, 'test', 44_321],
    ],
  );
  assert.equal((await collector.facts('load')).length, 4);
  assert.deepEqual(
    (await collector.facts('node-started')).map(({ node, capacity }) => [
      node,
      capacity.millicores,
    ]),
    [['localhost:40917', 4_000]],
  );
});

test('a restart in the middle adds nothing and misses nothing', async () => {
  await using it = await bench(START + 31_000);
  const { manager, collector, look } = it;
  await it.start();
  manager.running(1, [1, 2], START + 31_000);
  await look();
  await collector.stop();
  await it.start();
  manager.running(1, [1, 2], START + 36_000);
  await look();
  assert.equal((await collector.facts(STARTED)).length, 2);
  assert.equal(collector.value('tollgate_records_total', 'first-stands'), 0);
  // It ends while Tollgate is down.
  await collector.stop();
  manager.idle();
  it.server.set({
    [`${RM}/apps/${APP}`]: {
      json: { app: manager.row(1, { state: 'KILLED', finishedTime: START + 37_777 }) },
    },
  });
  await it.start();
  await look();
  assert.deepEqual(
    (await collector.facts(STOPPED)).map(({ at }) => at - START),
    [37_777, 37_777],
  );
});

test('a container that whole answers no longer list is gone, at its last sight, after a while', async () => {
  await using it = await bench(START + 31_000);
  const { manager, collector, look } = it;
  await it.start();
  for (const after of [31_000, 36_000]) {
    manager.running(1, [1, 2], START + after);
    await look();
  }
  for (const after of [41_000, 46_000]) {
    manager.running(1, [1], START + after);
    await look();
    assert.deepEqual(await collector.facts(STOPPED), []);
  }
  manager.running(1, [1], START + 51_000);
  await look();
  const stopped = await collector.facts(STOPPED);
  assert.deepEqual(brief(stopped), [[STOPPED, containerId(1, 2), 36_000, 'inferred: gone']]);
});

test('one that comes back in time, as after a restart of the manager, was never gone', async () => {
  await using it = await bench(START + 31_000);
  const { manager, collector, look } = it;
  await it.start();
  for (const [numbers, after] of [
    [[1, 2], 31_000],
    [[], 36_000],
    [[1], 41_000],
    [[1, 2], 44_000],
    [[1, 2], 49_000],
    [[1, 2], 60_000],
  ] as const) {
    manager.running(1, numbers, START + after);
    await look();
  }
  assert.deepEqual(await collector.facts(STOPPED), []);
  assert.equal(await collector.evidence('main', containerId(1, 2)), START + 60_000);
});

test('answers that are missing, cut, slow or of another kind never stop a container', async () => {
  await using it = await bench(START + 31_000);
  const { manager, collector, look, server } = it;
  await it.start();
  manager.running(1, [1, 2], START + 31_000);
  await look();
  const whole = server.answers.get(`${RM}/apps`) ?? { never: true };
  for (const answer of [
    { text: 'busy', status: 503 },
    { text: 'Spark is starting up.' },
    { json: read('yarn/running_apps.json'), cutAt: 700 },
    { json: { RemoteException: {} } },
    { breakOff: true },
  ] as const) {
    server.set({ [`${RM}/apps`]: answer });
    await look();
  }
  server.set({ [`${RM}/apps`]: whole });
  manager.failContainers(1);
  for (let i = 0; i < 4; i += 1) await look();
  server.set({ [`${RM}/metrics`]: { text: '', status: 401 } });
  for (let i = 0; i < 4; i += 1) await look();
  assert.deepEqual(await collector.facts(STOPPED), []);
  assert.ok(collector.value('tollgate_cluster_problems_total', 'unreachable') >= 5);
  // It was alive all the time: the next whole answer says so.
  server.set({ [`${RM}/metrics`]: { json: read('yarn/metrics.json') } });
  manager.running(1, [1, 2], collector.clock.now());
  await look();
  assert.deepEqual(await collector.facts(STOPPED), []);
  assert.equal((await collector.facts(STARTED)).length, 2);
});

test('an application that the manager has forgotten ends at its last sight', async () => {
  await using it = await bench(START + 31_000);
  const { manager, collector, look } = it;
  await it.start();
  manager.running(1, [1], START + 31_000);
  await look();
  manager.idle();
  for (let i = 0; i < 4; i += 1) await look();
  assert.deepEqual(brief(await collector.facts(STOPPED)), [
    [STOPPED, containerId(1, 1), 31_000, 'inferred: gone'],
  ]);
  const ended = await collector.facts('application-ended');
  assert.deepEqual(
    ended.map(({ at }) => at - START),
    [31_000],
  );
  assert.equal(collector.value('tollgate_cluster_open_containers'), 0);
});

const SPARK_APP = 'app-20261121072159-0000';

/** The recorded standalone cluster, as it looked `ms` after the recording. */
function standalone(server: AnsweringServer, ms: number, executors: readonly number[]): void {
  const master = read('spark4/rest/master_json_running.json');
  const worker = read('spark4/rest/worker_json.json');
  const used = executors.length;
  Object.assign(master.workers[0], { webuiaddress: `${server.url}/w`, coresused: used });
  Object.assign(master.activeapps[0], { cores: used, duration: 31_023 + ms });
  worker.coresused = used;
  worker.executors = executors.map((id) => ({ ...worker.executors[0], id }));
  server.set({ '/json/': { json: master }, '/w/json/': { json: worker } });
}

test('standalone executors start when first seen, keep that over a restart, and end with their application', async () => {
  const began = 1_795_245_719_365;
  const seen = began + 31_023;
  const server = await AnsweringServer.open();
  await using _ = server;
  await using collector = await ContainersBench.open(seen);
  const config = {
    clusters: [{ id: 'lab', type: 'standalone' as const, urls: [server.url] }],
  };
  const looks = () => collector.value('tollgate_cluster_looks_total');
  const look = async () => {
    const before = looks();
    if (before > 0) await collector.clock.advance(POLL_MS);
    await collector.until(() => looks() === before + 1 && collector.clock.sleepers === 1);
  };
  standalone(server, 0, [0, 1]);
  await collector.start(config);
  await look();
  await collector.stop();
  await collector.start(config);
  standalone(server, 5_000, [0, 1, 2]);
  await look();
  standalone(server, 10_000, [0, 1, 2]);
  await look();
  const started = await collector.facts(STARTED);
  assert.deepEqual(
    started.map(({ container, at, resources }) => [container, at - seen, resources.millicores]),
    [
      [`${SPARK_APP}//0`, 0, 1_000],
      [`${SPARK_APP}//1`, 0, 1_000],
      [`${SPARK_APP}//2`, 5_000, 1_000],
    ],
  );
  const master = read('spark4/rest/master_json_with_cluster_driver.json');
  master.workers[0].webuiaddress = `${server.url}/w`;
  const [app] = master.completedapps;
  app.duration = 31_023 + 12_345;
  server.set({ '/json/': { json: master } });
  await look();
  const stopped = await collector.facts(STOPPED);
  assert.deepEqual(
    stopped.map(({ at, reason }) => [at - seen, reason]),
    Array.from({ length: 3 }, () => [12_345, 'application ended']),
  );
});

test('a manager and an event log that see the same application mean the same containers', async () => {
  const log = gunzipSync(
    readFileSync(
      sharedDataFile('spark4/eventlog/application_1795248855005_0001_1.am-kill9.cut.jsonl.gz'),
    ),
  );
  await using it = await bench(START + 31_000);
  const { manager, collector } = it;
  const folder = join(collector.folder, 'spark-events');
  await mkdir(folder);
  await writeFile(join(folder, 'application_1795248855005_0001_1.inprogress'), log);
  manager.running(1, [1, 2, 3], START + 31_000);
  await collector.start({
    clusters: [{ id: 'main', type: 'yarn', urls: [it.server.url], eventLogs: [folder] }],
  });
  await collector.until(async () => (await collector.facts(STARTED)).length === 6);
  const started = await collector.facts(STARTED);
  const of = (witness: string) =>
    started.filter((fact) => fact.witness === witness).map((fact) => fact.container);
  assert.deepEqual(
    of('yarn').sort(),
    [1, 2, 3].map((n) => containerId(1, n)),
  );
  assert.deepEqual(of('event-log').sort(), of('yarn').sort());
});
