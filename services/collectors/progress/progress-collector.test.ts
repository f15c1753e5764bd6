import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RestIngest } from '../../../shared/contracts/rest.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { MetricWriter } from '../../../shared/stores/metric-store.ts';
import { type ProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { aBatch, ETL, IDS, NOW, ProgressBench } from '../../../test/support/progress-bench.ts';

test('pushed progress is stored when it is acknowledged, as the API reads it', async () => {
  await using bench = await ProgressBench.open();
  await bench.start();
  const answer = await bench.send([aBatch(0, 10, 40), aBatch(1, 20, 60), aBatch(2, 30, 90)]);
  assert.deepEqual(answer, { stored: 3, duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] });
  const query = await bench.query();
  assert.deepEqual(query?.tags, {
    project: 'etl',
    cluster: 'yarn',
    application: 'application_1_0001',
    query: 'q-1',
    run: 'r-1',
    name: 'orders',
  });
  assert.equal(query.fields['lag'], 60);
  assert.equal(query.fields['batch_id'], 2);
  assert.equal(query.verdict, 'warn');
  assert.equal(query.state, 'running');
  const [partition] = await bench.reader.latest(ETL, 'streaming_partition', 0);
  assert.deepEqual(
    {
      topic: partition?.tags['topic'],
      partition: partition?.tags['partition'],
      ...partition?.fields,
    },
    { topic: 't', partition: '0', lag: 60, end_offset: 30, latest_offset: 90, verdict: 1 },
  );
});

test('each line has its fate, and the others are stored', async () => {
  await using bench = await ProgressBench.open();
  await bench.start();
  const answer = await bench.send([
    '{"broken',
    aBatch(0, 1, 1),
    '',
    { Event: 'SparkListenerJobEnd' },
    { ...aBatch(1, 1, 1), id: undefined },
  ]);
  assert.deepEqual(answer, {
    stored: 1,
    duplicates: 0,
    dropped: 1,
    quarantined: 2,
    verdicts: [
      { line: 1, fate: 'quarantined', reason: 'not-json' },
      { line: 4, fate: 'dropped', reason: 'not-a-progress-event' },
      { line: 5, fate: 'quarantined', reason: 'no-query-id' },
    ],
  });
  assert.deepEqual(
    [...bench.quarantine.records.values()].map(({ reason, raw, source }) => [
      reason,
      raw.slice(0, 8),
      source,
    ]),
    [
      ['not-json', '{"broken', 'http?cluster=yarn&application='],
      ['no-query-id', '{"runId"', 'http?cluster=yarn&application='],
    ],
  );
  await bench.send(['{"broken']);
  assert.equal(bench.quarantine.records.size, 2, 'the same text waits once');
  const counted = bench.metrics.values('tollgate_records_total');
  assert.equal(counted.get('{collector="progress",fate="kept",reason=""}'), 1);
  assert.equal(counted.get('{collector="progress",fate="quarantined",reason="not-json"}'), 2);
});

test('a batch that comes again is a duplicate, also after a restart', async () => {
  await using bench = await ProgressBench.open();
  await bench.start();
  await bench.send([aBatch(0, 10, 40)]);
  assert.equal((await bench.send([aBatch(0, 10, 40)])).duplicates, 1);
  await bench.restart();
  const answer = await bench.send([aBatch(0, 10, 40), aBatch(1, 20, 60), aBatch(2, 30, 90)]);
  assert.deepEqual([answer.stored, answer.duplicates], [2, 1]);
  assert.equal((await bench.query())?.verdict, 'warn', 'the window spans the restart');
});

test('a query that says nothing is silent, and stopped where records wait, until it speaks', async () => {
  await using bench = await ProgressBench.open();
  await bench.start();
  await bench.send([aBatch(0, 10, 40)]);
  await bench.clock.advance(100_000);
  assert.equal((await bench.query())?.state, 'running');
  await bench.clock.advance(60_000);
  await bench.progress?.evaluate();
  const silent = await bench.query();
  assert.deepEqual([silent?.state, silent?.verdict], ['silent', 'stop']);
  await bench.send([aBatch(1, 20, 40)]);
  const back = await bench.query();
  assert.deepEqual([back?.state, back?.verdict], ['running', 'ok']);
});

test('our own absence is no silence', async () => {
  await using bench = await ProgressBench.open();
  await bench.start();
  await bench.send([aBatch(0, 10, 40)]);
  await bench.stop();
  await bench.clock.advance(3_600_000);
  await bench.restart();
  await bench.progress?.evaluate();
  assert.equal((await bench.query())?.state, 'running');
  await bench.clock.advance(140_000);
  await bench.progress?.evaluate();
  assert.equal((await bench.query())?.state, 'silent');
});

test("the project is the record's, else the source's, else its application's, else nobody's", async () => {
  await using bench = await ProgressBench.open();
  const projectOf = (cluster: string, application: string) =>
    cluster === 'yarn' && application === 'application_1_0001' ? ('bi' as ProjectId) : undefined;
  await bench.start({}, { projectOf });
  const assembled = async (record: object, header: ProjectId | undefined, expected: string) => {
    await bench.send([record], header);
    const project = expected as ProjectId;
    return (await bench.reader.latest(project, 'streaming_query', 0)).length;
  };
  const named = (id: string, extra: object) => ({ ...aBatch(0, 1, 1), id, ...extra });
  assert.equal(await assembled(named('q-a', { project: 'ml' }), ETL, 'ml'), 1);
  assert.equal(await assembled(named('q-b', {}), ETL, 'etl'), 1);
  const noHeader = (record: object, expected: string) => {
    const body = new TextEncoder().encode(JSON.stringify(record));
    return bench.progress
      ?.ingest({ body, project: undefined, cluster: 'yarn', receivedAt: NOW })
      .then(() => bench.reader.latest(expected as ProjectId, 'streaming_query', 0));
  };
  assert.equal((await noHeader(named('q-c', {}), 'bi'))?.length, 1);
  assert.equal((await noHeader(named('q-d', { application: 'x' }), UNATTRIBUTED))?.length, 1);
});

test("a query that was nobody's ends there when its project becomes known", async () => {
  await using bench = await ProgressBench.open();
  let known: ProjectId | undefined;
  const deps = { projectOf: () => known };
  await bench.start({}, deps);
  const send = (record: object) =>
    bench.progress?.ingest({
      body: new TextEncoder().encode(JSON.stringify(record)),
      project: undefined,
      cluster: 'yarn',
      receivedAt: NOW,
    });
  await send(aBatch(0, 1, 9));
  known = ETL;
  await send(aBatch(1, 2, 9));
  assert.equal((await bench.query(UNATTRIBUTED))?.state, 'terminated');
  assert.equal((await bench.query())?.state, 'running');
});

test('the same query id in two projects is two queries', async () => {
  await using bench = await ProgressBench.open();
  await bench.start();
  for (const n of [0, 1, 2]) await bench.send([aBatch(n, 10 + n, 40 + 2 * n)]);
  await bench.send([aBatch(3, 0, 0)], 'other' as ProjectId);
  assert.equal((await bench.query())?.verdict, 'warn', 'the other one rewound nothing here');
});

test('a store that is away makes senders wait, and a full queue turns them away', async () => {
  await using bench = await ProgressBench.open();
  let away = true;
  const writer: MetricWriter = {
    declare: (series) => bench.writer.declare(series),
    release: (refs) => bench.writer.release(refs),
    checkpoints: (prefix) => bench.writer.checkpoints(prefix),
    write: (block, checkpoints) =>
      away
        ? Promise.reject(new AppError('STORE_UNAVAILABLE', 'away'))
        : bench.writer.write(block, checkpoints),
    async [Symbol.asyncDispose]() {},
  };
  await bench.start({ queueBytes: 1_000 }, { writer });
  const first = bench.send([aBatch(0, 10, 40)]);
  await bench.clock.advance(0);
  const second = bench.send([aBatch(1, 20, 40)]);
  const third = bench.send([aBatch(2, 30, 40)]);
  const refused = bench.send([aBatch(3, 40, 40)]);
  await assert.rejects(refused, { code: 'OVERLOADED' });
  away = false;
  for (let i = 0; i < 20; i += 1) await bench.clock.advance(10_000);
  const outcomes: RestIngest[] = await Promise.all([first, second, third]);
  assert.deepEqual(
    outcomes.map(({ stored }) => stored),
    [1, 1, 1],
  );
  assert.equal((await bench.query())?.fields['batch_id'], 2);
});

test('a write that fails for good leaves no trace, so that the same records can come again', async () => {
  await using bench = await ProgressBench.open();
  let broken = true;
  const writer: MetricWriter = {
    declare: (series) => bench.writer.declare(series),
    release: (refs) => bench.writer.release(refs),
    checkpoints: (prefix) => bench.writer.checkpoints(prefix),
    write: (block, checkpoints) =>
      broken ? Promise.reject(new Error('corrupt')) : bench.writer.write(block, checkpoints),
    async [Symbol.asyncDispose]() {},
  };
  await bench.start({}, { writer });
  await assert.rejects(bench.send([aBatch(0, 10, 40)]), /corrupt/);
  broken = false;
  assert.equal((await bench.send([aBatch(0, 10, 40)])).stored, 1);
});

test('too many queries: the one heard of longest ago is forgotten, its slot used again', async () => {
  await using bench = await ProgressBench.open();
  await bench.start({ maxQueries: 2 });
  const of = (id: string) => aBatch(0, 1, 9, { id, runId: `run-${id}` });
  for (const id of ['a', 'b', 'a', 'c']) await bench.send([of(id)]);
  const stored = await bench.writer.checkpoints('progress:query:');
  const ids = stored.map(({ position }) => String(JSON.parse(position).query));
  assert.deepEqual(ids.toSorted(), ['a', 'c']);
  assert.equal(bench.metrics.values('tollgate_progress_queries_evicted_total').get(''), 1);
  assert.equal((await bench.send([of('a')])).duplicates, 1);
  assert.equal((await bench.send([of('b')])).stored, 1);
});

test('a query that ended is forgotten after a day', async () => {
  await using bench = await ProgressBench.open();
  await bench.start();
  await bench.send([aBatch(0, 1, 9), { ...IDS, exception: null }]);
  await bench.clock.jump(86_500_000);
  await bench.progress?.evaluate();
  const stored = await bench.writer.checkpoints('progress:query:');
  assert.deepEqual(
    stored.map(({ position }) => position),
    [''],
  );
  await bench.restart();
  assert.equal((await bench.send([aBatch(0, 1, 9)])).stored, 1);
});

test('a replay stores what can be read now and leaves the rest', async () => {
  await using bench = await ProgressBench.open();
  await bench.start();
  await bench.send(['{"broken']);
  const base = { collector: 'progress', reason: 'x', project: 'etl', observedAt: NOW } as const;
  const raw = JSON.stringify(aBatch(0, 1, 9));
  await bench.quarantine.put([{ ...base, id: 'good', source: 'http?cluster=yarn', raw }]);
  const outcome = await bench.progress?.replay(await bench.quarantine.list());
  assert.deepEqual([outcome?.stored, outcome?.quarantined], [1, 1]);
  assert.deepEqual(
    [...bench.quarantine.records.values()].map(({ reason }) => reason),
    ['not-json'],
  );
  assert.equal((await bench.query())?.tags['cluster'], 'yarn');
});

test('a record that is too long is quarantined, cut', async () => {
  await using bench = await ProgressBench.open();
  await bench.start({ maxRecordBytes: 1_000 });
  const answer = await bench.send([{ ...aBatch(0, 1, 1), padding: 'x'.repeat(200_000) }]);
  assert.equal(answer.verdicts[0]?.reason, 'too-long');
});
