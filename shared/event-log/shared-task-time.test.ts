import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { line, taskEnd } from '../../test/support/event-log-lines.ts';
import { sharedDataFile } from '../../test/support/shared-data.ts';
import { readEventLine } from './event-line.ts';
import { SHARERS, SharedTaskTime, type Sharer } from './shared-task-time.ts';

function timesOf(lines: readonly string[], sharer: Sharer): Record<string, number> {
  const time = new SharedTaskTime(sharer);
  for (const text of lines) {
    const bytes = Buffer.from(text);
    time.push(bytes, readEventLine(bytes));
  }
  return Object.fromEntries(time.taskMs);
}

const job = (stages: readonly unknown[], properties: object): string =>
  line('SparkListenerJobStart', {
    'Job ID': 0,
    'Submission Time': 1,
    'Stage Infos': [],
    'Stage IDs': stages,
    Properties: properties,
  });
const task = (id: number, stage: number, ms: number, reason = 'Success'): string =>
  taskEnd({ id, stage, launch: 1_795_000_000_000, finish: 1_795_000_000_000 + ms, reason });
const connect = (user: string, session: string, operation: string): string =>
  `SparkConnect_OperationTag_User_${user}_Session_${session}_Operation_${operation}`;
const thriftStart = (id: string, userName: string, sessionId: string): string =>
  line('org.apache.spark.sql.hive.thriftserver.ui.SparkListenerThriftServerOperationStart', {
    ...{ id, sessionId, statement: 'SELECT 1', groupId: id, startTime: 1, userName },
  });

const SESSION = '6c1b0bb4-6c3e-4a53-9a3e-3f1f6c6f3a11';

test('a task is of the first job that names its stage, whether it succeeds or not', () => {
  const lines = [
    job([0, 1], { 'spark.jobGroup.id': 'a' }),
    job([1, 2], { 'spark.jobGroup.id': 'b' }),
    task(1, 0, 10),
    task(2, 1, 5, 'TaskKilled'),
    task(3, 2, 7),
    task(4, 2, 100, 'Resubmitted'),
    task(5, 9, 3),
  ];
  assert.deepEqual(timesOf(lines, 'job-group'), { a: 15, b: 7, '': 3 });
});

test('Spark Connect’s tag tells user and session, also of a user with underscores', () => {
  const tags = (user: string, session: string): string =>
    ['mine', connect(user, session, 'op-1')].join(',');
  const lines = [
    job([0], { 'spark.job.tags': tags('data_Session_team', SESSION) }),
    job([1], { 'spark.job.tags': tags('bob', 'other-session') }),
    job([2], { 'spark.job.tags': 'mine' }),
    task(1, 0, 10),
    task(2, 1, 20),
    task(3, 2, 30),
  ];
  assert.deepEqual(timesOf(lines, 'sql-user'), { data_Session_team: 10, bob: 20, '': 30 });
  assert.deepEqual(timesOf(lines, 'session'), { [SESSION]: 10, 'other-session': 20, '': 30 });
});

test('the Thrift server’s statements tell user and session of their job group', () => {
  const lines = [
    thriftStart('statement-1', 'alice', 's1'),
    thriftStart('statement-2', 'bob', 's2'),
    job([0], { 'spark.jobGroup.id': 'statement-1' }),
    job([1], { 'spark.jobGroup.id': 'statement-2' }),
    job([2], { 'spark.jobGroup.id': 'someone-else' }),
    task(1, 0, 10),
    task(2, 1, 20),
    task(3, 2, 30),
  ];
  assert.deepEqual(timesOf(lines, 'sql-user'), { alice: 10, bob: 20, '': 30 });
  assert.deepEqual(timesOf(lines, 'session'), { s1: 10, s2: 20, '': 30 });
});

test('what no Spark writes is nobody’s: no stages, no properties, no JSON', () => {
  const lines = [
    '{"Event":"SparkListenerJobStart",broken}',
    job(['0', null, {}], { 'spark.jobGroup.id': 'a' }),
    line('SparkListenerJobStart', { 'Stage IDs': 'x' }),
    line('SparkListenerJobStart', { 'Stage IDs': [0], Properties: null }),
    task(1, 0, 10),
    task(2, 0, -10),
  ];
  for (const sharer of SHARERS) assert.deepEqual(timesOf(lines, sharer), { '': 10 });
});

test('real logs of Spark 4.1 and 3.5 tell streaming queries’ groups and sessions apart', () => {
  const read = (name: string): string[] =>
    gunzipSync(readFileSync(sharedDataFile(`spark4/eventlog/${name}`)))
      .toString()
      .split('\n')
      .filter((text) => text !== '');
  const lines = read('app-20261121071948-0000.cut.jsonl.gz');
  const groups = timesOf(lines, 'job-group');
  // The sample was cut: some of its tasks have lost their job.
  assert.deepEqual(Object.keys(groups).sort(), [
    '',
    '8752fb39-dbaa-4fd4-95e5-bf905f6f8608',
    'ac7dfbee-c09c-410f-937d-55bf5a454f7d',
  ]);
  assert.deepEqual(Object.keys(timesOf(lines, 'session')).sort(), [
    '',
    '01f461e3-a4b4-4aab-a30e-99b91e9c1395',
    'f2e37421-a6b8-4c5c-86be-1b99623e9320',
  ]);
  const sum = (times: Record<string, number>): number =>
    Object.values(times).reduce((total, ms) => total + ms, 0);
  assert.equal(sum(timesOf(lines, 'sql-user')), sum(groups));
  assert.deepEqual(Object.keys(timesOf(lines, 'sql-user')), ['']);
  // Spark 3.5 tags no sessions.
  assert.deepEqual(Object.keys(timesOf(read('local-3.5.8.cut.jsonl.gz'), 'session')), ['']);
});
