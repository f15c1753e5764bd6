import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  applicationEnd,
  applicationStart,
  environment,
  executorAdded,
  executorRemoved,
  line,
  logStart,
  taskEnd,
  taskStart,
} from '../../test/support/event-log-lines.ts';
import type { ContainerFact, JournalFact } from '../contracts/container-fact.ts';
import { UNATTRIBUTED } from '../values/project-id.ts';
import { EventLogReader } from './event-log-reader.ts';
import { EventLogLines } from './read-event-log.ts';

function reader(): EventLogReader {
  return new EventLogReader({
    cluster: 'c',
    attribute: (info) => ({ project: UNATTRIBUTED, rule: info.tags['team'] === 'a' ? 1 : 2 }),
    fallback: { application: 'from-name', attempt: '' },
    yarnMemoryStepMib: 512,
  });
}

function read(
  lines: readonly string[],
  finish = true,
): { facts: JournalFact[]; log: EventLogReader } {
  const log = reader();
  const split = new EventLogLines(log);
  split.push(Buffer.from(`${lines.join('\n')}\n`));
  split.end();
  if (finish) log.finish('over');
  return { facts: log.takeFacts(), log };
}

const isContainer = (fact: JournalFact): fact is ContainerFact => fact.kind.startsWith('container');
/** `executor 1 [10, 90)` of every container, in order of their starts. */
function spans(facts: readonly JournalFact[]): string[] {
  const containers = facts.filter(isContainer);
  return containers
    .filter(({ kind }) => kind === 'container-started')
    .map(({ container, role, at }) => {
      const stops = containers.filter(
        (fact) => fact.container === container && fact.kind === 'container-stopped',
      );
      return `${role} ${container} ${at}-${stops.map((stop) => stop.at).join('&')}`;
    });
}
const notes = (log: EventLogReader) => Object.fromEntries(log.notes);

const STANDALONE = environment({ 'spark.master': 'spark://m:7077', 'spark.executor.memory': '2g' });
const YARN = { 'spark.master': 'yarn', 'spark.submit.deployMode': 'client' };

test('an executor lives until it is removed, else until the application ends', () => {
  const { facts, log } = read([
    logStart(),
    STANDALONE,
    applicationStart(100),
    executorAdded(110, '1'),
    executorAdded(120, '2'),
    executorRemoved(150, '1'),
    applicationEnd(200),
  ]);
  assert.deepEqual(spans(facts), [
    'driver app-1//driver 100-200',
    'executor app-1//1 110-150',
    'executor app-1//2 120-200',
  ]);
  assert.equal(log.end?.inferred, false);
  assert.deepEqual(notes(log), {});
});

test('without an end the last event stands in, and says so with an id of its own', () => {
  const { facts, log } = read([
    STANDALONE,
    applicationStart(100),
    executorAdded(110, '1'),
    line('SparkListenerJobStart', { 'Submission Time': 170 }),
  ]);
  assert.deepEqual(spans(facts), ['driver app-1//driver 100-170', 'executor app-1//1 110-170']);
  assert.deepEqual(notes(log), { 'end-inferred': 1 });
  const ended = facts.find(({ kind }) => kind === 'application-ended');
  assert.match(ended?.id ?? '', /ended-inferred/);
});

test('executors that come before ApplicationStart wait for it', () => {
  const { facts } = read([executorAdded(90, '1'), applicationStart(100), applicationEnd(200)]);
  assert.deepEqual(spans(facts), ['driver app-1//driver 100-200', 'executor app-1//1 90-200']);
});

test('in local mode the driver is the executor, and nothing is counted twice', () => {
  const driver = executorAdded(105, 'driver', { 'Total Cores': 4 });
  const local = environment({ 'spark.master': 'local[4]' });
  for (const lines of [
    [driver, local, applicationStart(100)],
    [local, applicationStart(100), driver],
    [driver, applicationStart(100)],
  ]) {
    const { facts } = read([...lines, applicationEnd(200)]);
    assert.deepEqual(spans(facts), ['executor app-1//driver 105-200']);
  }
});

test('a local log too old to name its executor has its driver', () => {
  const { facts } = read([
    environment({ 'spark.master': 'local' }),
    applicationStart(100),
    applicationEnd(200),
  ]);
  assert.deepEqual(spans(facts), ['driver app-1//driver 100-200']);
});

const CONTAINER = 'container_e18_1_0001_01_000001';
const MASTER = line('org.apache.spark.scheduler.SparkListenerMiscellaneousProcessAdded', {
  time: 130,
  processId: 'yarn-am',
  info: {
    hostPort: 'node-9:8042',
    cores: 1,
    logUrlInfo: { stdout: `http://h/node/containerlogs/${CONTAINER}/u/stdout` },
  },
});

test("YARN's application master is a container of its own in client mode", () => {
  const { facts } = read([environment(YARN), applicationStart(100), MASTER, applicationEnd(200)]);
  assert.deepEqual(spans(facts), [
    'driver app-1//driver 100-200',
    `application-master ${CONTAINER} 130-200`,
  ]);
  const master = facts.filter(isContainer).find(({ role }) => role === 'application-master');
  assert.equal(master?.host, 'node-9');
  assert.equal(master?.resources.memoryMib, 1024, '512 + 384 rounded up to steps of 512');
});

test("in YARN's cluster mode the driver is the application master: one container", () => {
  const { facts } = read([
    environment({ ...YARN, 'spark.submit.deployMode': 'cluster' }),
    applicationStart(100, {
      'App Attempt ID': '1',
      'Driver Attributes': { CONTAINER_ID: CONTAINER, NM_HOST: 'node-3' },
    }),
    MASTER,
    applicationEnd(200),
  ]);
  assert.deepEqual(spans(facts), [`driver ${CONTAINER} 100-200`]);
});

test("Spark 2 doesn't log its application master, so it is counted from the start", () => {
  const { facts, log } = read([
    logStart('2.4.8'),
    environment(YARN),
    applicationStart(100),
    applicationEnd(200),
  ]);
  assert.deepEqual(spans(facts), [
    'driver app-1//driver 100-200',
    'application-master app-1//application-master 100-200',
  ]);
  assert.deepEqual(notes(log), { 'application-master-inferred': 1 });
});

test("an executor's container is YARN's, from its attributes or from its log addresses", () => {
  const { facts } = read([
    applicationStart(100),
    executorAdded(110, '1', { Attributes: { CONTAINER_ID: 'container_1_0001_01_000002' } }),
    executorAdded(110, '2', { 'Log Urls': { stderr: 'http://h/container_1_0001_01_000003/x' } }),
    applicationEnd(200),
  ]);
  assert.deepEqual(spans(facts).slice(1), [
    'executor container_1_0001_01_000002 110-200',
    'executor container_1_0001_01_000003 110-200',
  ]);
});

test('cores are those that the executor has, memory what its profile asks', () => {
  const { facts } = read([
    environment({ 'spark.master': 'k8s://x' }),
    line('SparkListenerResourceProfileAdded', {
      'Resource Profile Id': 3,
      'Executor Resource Requests': { cores: { Amount: 1 }, memory: { Amount: 4096 } },
      'Task Resource Requests': { cpus: { Amount: 2.0 } },
    }),
    applicationStart(100),
    executorAdded(110, '1', {
      'Total Cores': 16,
      'Resource Profile Id': 3,
      Resources: { gpu: { name: 'gpu', addresses: ['0', '1'] } },
    }),
    applicationEnd(200),
  ]);
  const executor = facts.filter(isContainer).find(({ role }) => role === 'executor');
  assert.deepEqual(executor?.resources, { millicores: 16_000, memoryMib: 4096 + 409, gpus: 2 });
});

test('the first of double events counts, and the rest is noted', () => {
  const { facts, log } = read([
    STANDALONE,
    applicationStart(100),
    applicationStart(101, { 'App ID': 'app-2' }),
    executorAdded(110, '1'),
    executorAdded(111, '1'),
    executorRemoved(150, '1'),
    executorRemoved(151, '1'),
    executorRemoved(152, '9'),
    applicationEnd(200),
    applicationEnd(300),
    executorRemoved(250, '1'),
  ]);
  assert.deepEqual(spans(facts), ['driver app-1//driver 100-200', 'executor app-1//1 110-150']);
  assert.deepEqual(notes(log), {
    'second-application': 1,
    'executor-added-twice': 1,
    'executor-removed-twice': 1,
    'executor-never-added': 1,
    'event-after-end': 1,
  });
});

test('a container that ends before it begins has no time, never a negative one', () => {
  const { facts, log } = read([
    STANDALONE,
    applicationStart(100),
    executorAdded(900, '1'),
    applicationEnd(200),
    executorAdded(950, '2'),
  ]);
  assert.deepEqual(spans(facts), [
    'driver app-1//driver 100-200',
    'executor app-1//1 900-900',
    'executor app-1//2 950-950',
  ]);
  assert.deepEqual(notes(log), { 'negative-duration': 2 });
});

test('a log that lost its beginning is read under the name of its file', () => {
  const task = { id: 1, launch: 500, finish: 600 };
  const { facts, log } = read([executorAdded(400, '7'), taskStart(task), applicationEnd(700)]);
  assert.deepEqual(spans(facts), [
    'driver from-name//driver 400-700',
    'executor from-name//7 400-700',
  ]);
  assert.deepEqual(notes(log), { 'start-inferred': 1, 'task-of-unknown-executor': 1 });
});

test('impossible times and resources are left out and noted', () => {
  const { facts, log } = read([
    STANDALONE,
    applicationStart(100),
    executorAdded(2 ** 53 + 2, '1'),
    executorAdded(-5, '2'),
    executorAdded(9_000_000_000_000, '3'),
    executorAdded(110, '4', { 'Total Cores': 1e300 }),
    executorAdded(110, '5', { 'Total Cores': -1 }),
    line('SparkListenerExecutorAdded', { 'Executor ID': '6' }),
    applicationEnd(200),
  ]);
  assert.equal(spans(facts).length, 3);
  assert.deepEqual(notes(log), {
    'implausible-time': 3,
    'implausible-resources': 2,
    'unreadable-line': 1,
  });
});

test('a later configuration is told again, the same one is not', () => {
  const { facts } = read([
    environment({ 'spark.tollgate.tag.team': 'a' }),
    applicationStart(100),
    environment({ 'spark.tollgate.tag.team': 'a' }),
    environment({ 'spark.tollgate.tag.team': 'b', __proto__: 'x' }),
    applicationEnd(200),
  ]);
  const seen = facts.filter(({ kind }) => kind === 'application-seen');
  assert.deepEqual(
    seen.map((fact) => 'rule' in fact && [fact.tags, fact.rule, fact.id]),
    [
      [{ team: 'a' }, 1, 'c/event-log/app-1//application/seen/1'],
      [{ team: 'b' }, 2, 'c/event-log/app-1//application/seen/2'],
    ],
  );
});

const WORK = [
  line('SparkListenerLogStart', { 'Spark Version': '3.5.8' }),
  STANDALONE,
  applicationStart(0),
  executorAdded(100, '1'),
  ...[1, 2].map((id) => taskStart({ id, launch: 200 })),
  taskEnd({ id: 1, launch: 200, finish: 300, runMs: 90 }),
  taskEnd({ id: 2, launch: 200, finish: 400, reason: 'ExceptionFailure', runMs: 190 }),
  taskStart({ id: 3, launch: 400 }),
  taskEnd({ id: 3, index: 2, launch: 400, finish: 500 }),
  taskEnd({ id: 3, index: 2, launch: 400, finish: 500, reason: 'Resubmitted' }),
  taskEnd({ id: 4, index: 2, launch: 500, finish: 550 }),
  // It ended at 1,000: the driver waits 5 s for the master to say why.
  executorRemoved(6000, '1', 'Executor killed by driver.'),
  applicationEnd(6200),
];

test('the slot time tells useful work from waste, idling, start-up and tail', () => {
  const { log } = read(WORK);
  const { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs } = log.activity() ?? {};
  assert.deepEqual(
    { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs },
    { slotMs: 1800, usefulMs: 200, wastedMs: 250, idleMs: 250, tailMs: 900, startUpMs: 200 },
  );
  assert.equal(log.taskRunMs, 280);
});

test('a running task is useful so far, and wasted once the application is over', () => {
  const lines = [...WORK.slice(0, 4), taskStart({ id: 1, launch: 200 })];
  const later = line('SparkListenerJobStart', { 'Submission Time': 700 });
  assert.equal(read([...lines, later], false).log.activity()?.usefulMs, 500);
  const over = read([...lines, applicationEnd(700)]).log.activity();
  assert.deepEqual([over?.usefulMs, over?.wastedMs], [0, 500]);
});

test('evidence says how long the open containers were seen', () => {
  const { log } = read(WORK.slice(0, 5), false);
  assert.deepEqual(
    log.evidence().map(({ container, until }) => `${container} ${until}`),
    ['app-1//driver 200', 'app-1//1 200'],
  );
  assert.deepEqual(read(WORK).log.evidence(), []);
});

test('any cutting of the log, and any moment of asking, gives the same facts', () => {
  const bytes = Buffer.from(`${WORK.join('\n')}\n`);
  const whole = read(WORK);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const log = reader();
      const lines = new EventLogLines(log);
      const facts: JournalFact[] = [];
      const edges = [0, ...cuts, bytes.length].sort((a, b) => a - b);
      for (let at = 1; at < edges.length; at += 1) {
        lines.push(bytes.subarray(edges[at - 1], edges[at]));
        facts.push(...log.takeFacts());
        log.activity();
      }
      lines.end();
      log.finish('over');
      facts.push(...log.takeFacts());
      assert.deepEqual(facts, whole.facts);
      assert.deepEqual(log.activity(), whole.log.activity());
    }),
  );
});

test('any order and loss of lines keeps time positive and the parts exact', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(WORK), (lines) => {
      const { facts, log } = read(lines);
      const started = new Map<string, number>();
      for (const fact of facts.filter(isContainer)) {
        if (fact.kind === 'container-started') started.set(fact.container, fact.at);
        else assert.ok(fact.at >= (started.get(fact.container) ?? Number.POSITIVE_INFINITY));
      }
      const activity = log.activity();
      if (activity === undefined) return;
      const { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs } = activity;
      assert.equal(usefulMs + wastedMs + idleMs + tailMs + startUpMs, slotMs);
      assert.ok([usefulMs, wastedMs, idleMs, tailMs, startUpMs].every((part) => part >= 0));
    }),
  );
});

test('every id is its own', () => {
  const { facts } = read(WORK);
  assert.equal(new Set(facts.map(({ id }) => id)).size, facts.length);
});

test('late tasks of many ended executors are still told apart from strangers', () => {
  const ids = Array.from({ length: 400 }, (_, index) => `${index}`);
  const { log } = read([
    STANDALONE,
    applicationStart(0),
    ...ids.flatMap((id) => [executorAdded(100, id), executorRemoved(200, id)]),
    taskEnd({ id: 1, executor: '399', launch: 150, finish: 200 }),
    taskEnd({ id: 2, executor: '0', launch: 150, finish: 200 }),
    applicationEnd(300),
  ]);
  assert.deepEqual(notes(log), { 'task-of-unknown-executor': 1 });
  const { slotMs, usefulMs } = log.activity() ?? {};
  assert.deepEqual([slotMs, usefulMs], [400 * 200, 50]);
});
