import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CostReport } from '../../shared/contracts/cost-report.ts';
import {
  applicationEnd,
  applicationStart,
  environment,
  executorAdded,
  line,
  logStart,
  taskEnd,
} from '../../test/support/event-log-lines.ts';
import { sharedDataFile } from '../../test/support/shared-data.ts';
import { reportCost } from './report-cost.ts';

const AT = 1_795_000_000_000;

function report(paths: readonly string[], by: string, unused = 'by-use'): Promise<CostReport> {
  return reportCost({
    ...{ paths, by, unused, ratesFile: undefined, rulesFile: undefined, yarnMemoryStepMib: 0 },
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
}

const job = (stage: number, user: string): string =>
  line('SparkListenerJobStart', {
    ...{ 'Job ID': stage, 'Submission Time': AT, 'Stage Infos': [], 'Stage IDs': [stage] },
    Properties: {
      'spark.job.tags': `SparkConnect_OperationTag_User_${user}_Session_s-${user}_Operation_o`,
    },
  });
const task = (id: number, stage: number, seconds: number): string =>
  taskEnd({ id, stage, launch: AT + 1_000, finish: AT + 1_000 + seconds * 1_000 });

/** A server of two slots over 10 s, in which alice's tasks take 6 s and bob's 2. */
async function connectServer(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tollgate-shared-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  const lines = [
    logStart(),
    environment({ 'spark.master': 'spark://m:7077' }),
    applicationStart(AT),
    executorAdded(AT, '1'),
    ...[job(0, 'alice'), task(1, 0, 6), job(1, 'bob'), task(2, 1, 2)],
    applicationEnd(AT + 10_000),
  ];
  await writeFile(join(path, 'app-1'), `${lines.join('\n')}\n`);
  return path;
}

function amountOf({ rows, shares }: CostReport['total']): bigint {
  const whole = rows.reduce((sum, { amount }) => sum + amount, 0n);
  const shared = shares.reduce((sum, { worked, unused }) => sum + worked + unused, 0n);
  assert.equal(shared, whole, 'the shares add up to the rows');
  return whole;
}

test('one Connect server is split over its users, to the billionth', async (context) => {
  const path = await connectServer(context);
  const { total, groups, by, sharedBy } = await report([path], 'sql-user');
  assert.deepEqual([by, sharedBy, groups.length], ['application', 'sql-user', 1]);
  const whole = amountOf(total);
  const executors = total.rows.find(({ role }) => role === 'executor')?.amount ?? 0n;
  assert.deepEqual(
    total.shares.map(({ key, taskMs }) => [key, taskMs]),
    [
      ['alice', 6_000],
      ['bob', 2_000],
    ],
  );
  const [alice, bob] = total.shares;
  assert.equal(alice?.worked, (executors * 6n) / 20n, '6 of 20 slot seconds');
  assert.equal((alice?.worked ?? 0n) + (alice?.unused ?? 0n), (whole * 3n) / 4n);
  assert.equal((bob?.worked ?? 0n) + (bob?.unused ?? 0n), whole - (whole * 3n) / 4n);
  const owner = (await report([path], 'session', 'owner')).total;
  assert.equal(amountOf(owner), whole);
  assert.deepEqual(owner.shares.map(({ key }) => key).sort(), ['', 's-alice', 's-bob']);
});

test('real logs add up by every sharer and method, and have no shares unasked', async () => {
  const samples = [
    'spark4/eventlog',
    'spark-eventlogs/apache-spark/app-20200706201101-0003',
    'spark-eventlogs/nvidia-rapids-tools/multiple_attempts',
  ].map(sharedDataFile);
  for (const by of ['job-group', 'sql-user', 'session']) {
    const { total, groups } = await report(samples, by, by === 'session' ? 'even' : 'by-use');
    assert.ok(amountOf(total) > 0n);
    for (const group of groups) amountOf(group);
    if (by === 'job-group') assert.ok(total.shares.length > 5);
  }
  const unasked = await report(samples, 'application');
  assert.deepEqual([unasked.sharedBy, unasked.total.shares], [undefined, []]);
});

test('an unknown sharer and method are refused, both at once', async () => {
  await assert.rejects(report([], 'colour', 'dice'), (error: Error) => {
    assert.match(error.message, /cannot group by "colour": .*job-group, sql-user, session/);
    assert.match(error.message, /"dice": use by-use, even, owner/);
    return true;
  });
});
