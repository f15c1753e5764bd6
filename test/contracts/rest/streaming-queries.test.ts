import assert from 'node:assert/strict';
import test from 'node:test';
import { queryStateCode, verdictCode } from '../../../shared/contracts/progress-record.ts';
import { restStreamingQueries } from '../../../shared/contracts/rest.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';
import { type Point, writePoints } from '../../support/write-points.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const TAGS = {
  project: 'team-a',
  cluster: 'alpha',
  application: 'app-1',
  query: 'q1',
  run: 'r1',
  name: 'orders',
};
type Written = {
  readonly at?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly fields?: Readonly<Record<string, number>>;
};

function report({ at = NOW - MINUTE_MS, tags, fields }: Written = {}): Point {
  const values = { batch_id: 7, last_batch_ms: at, ...fields };
  return { at, measurement: 'streaming_query', tags: { ...TAGS, ...tags }, fields: values };
}

function partition(number: string, fields: Point['fields'], run = TAGS.run): Point {
  const tags = { ...TAGS, run, topic: 'orders', partition: number };
  return { at: NOW - MINUTE_MS, measurement: 'streaming_partition', tags, fields };
}

const write = (api: AskingApi, ...points: Point[]) => writePoints(api.metricWriter, points);

async function queries(api: AskingApi, project = 'team-a') {
  const path = `/v1/projects/${project}/streaming-queries`;
  return (await api.get(path, restStreamingQueries)).queries;
}

test('a query is told with its rates, lag, state and verdict, and those of its partitions', async () => {
  await using api = await askingApi();
  const numbers = {
    input_rows_per_second: 10.5,
    processed_rows_per_second: 9,
    state_rows: 4,
    watermark_delay_ms: -5,
    lag: 1_000,
    verdict: verdictCode('stall'),
    state: queryStateCode('silent'),
  };
  await write(
    api,
    report({ fields: numbers }),
    partition('0', { lag: 400, verdict: verdictCode('warn') }),
    partition('1', { verdict: verdictCode('stop') }),
  );
  const [query, ...others] = await queries(api);
  assert.deepEqual(others, []);
  assert.deepEqual(
    query?.partitions.toSorted((a, b) => a.partition.localeCompare(b.partition)),
    [
      { topic: 'orders', partition: '0', lag: 400, verdict: 'warn' },
      { topic: 'orders', partition: '1', lag: null, verdict: 'stop' },
    ],
  );
  assert.deepEqual(
    { ...query, partitions: [] },
    {
      id: 'q1',
      runId: 'r1',
      name: 'orders',
      project: 'team-a',
      cluster: 'alpha',
      application: 'app-1',
      state: 'silent',
      verdict: 'stall',
      lastBatchAt: '2026-11-21T08:59:00.000Z',
      batchId: 7,
      inputRowsPerSecond: 10.5,
      processedRowsPerSecond: 9,
      stateRows: 4,
      watermarkDelayMs: -5,
      lag: 1_000,
      partitions: [],
    },
  );
});

test('what a query does not tell is null, not zero', async () => {
  await using api = await askingApi();
  await write(api, report());
  const [query] = await queries(api);
  assert.deepEqual(
    [query?.inputRowsPerSecond, query?.stateRows, query?.watermarkDelayMs, query?.lag],
    [null, null, null, null],
  );
  assert.deepEqual([query?.state, query?.verdict], ['running', 'ok']);
});

test('a restarted query is one entry: its latest run, with that run’s partitions', async () => {
  await using api = await askingApi();
  await write(
    api,
    partition('0', { lag: 1 }),
    report({ at: NOW - 2 * MINUTE_MS }),
    report({ tags: { run: 'r2' } }),
    partition('1', { lag: 2 }, 'r2'),
  );
  const [query, ...others] = await queries(api);
  assert.deepEqual(others, []);
  assert.equal(query?.runId, 'r2');
  assert.deepEqual(
    query?.partitions.map(({ partition, lag }) => [partition, lag]),
    [['1', 2]],
  );
});

test('queries of the same id on two clusters are two', async () => {
  await using api = await askingApi();
  await write(api, report(), report({ tags: { cluster: 'beta' } }));
  assert.deepEqual((await queries(api)).map(({ cluster }) => cluster).sort(), ['alpha', 'beta']);
});

test('what ended an hour ago, or was silent for a day, is no longer shown', async () => {
  await using api = await askingApi();
  const ended = { state: queryStateCode('terminated') };
  const failed = { state: queryStateCode('failed') };
  const at = NOW - 2 * HOUR_MS;
  await write(
    api,
    report({ at: NOW - DAY_MS - 1, tags: { query: 'silent-for-a-day' } }),
    report({ at: NOW - 23 * HOUR_MS, tags: { query: 'silent' } }),
    report({ at, tags: { query: 'ended' }, fields: ended }),
    report({ at, tags: { query: 'failed' }, fields: failed }),
    report({ at: NOW - HOUR_MS, tags: { query: 'just-ended' }, fields: ended }),
  );
  assert.deepEqual((await queries(api)).map(({ id }) => id).sort(), [
    'failed',
    'just-ended',
    'silent',
  ]);
});

test('queries of another project are not in the answer', async () => {
  await using api = await askingApi();
  await write(api, report());
  await api.stores.grants.register('team-b' as ProjectId);
  assert.deepEqual(await queries(api, 'team-b'), []);
});

test('a verdict or state that this version does not know is shown as the harmless one', async () => {
  await using api = await askingApi();
  await write(api, report({ fields: { verdict: 99, state: 99 } }));
  const [query] = await queries(api);
  assert.deepEqual([query?.state, query?.verdict], ['running', 'ok']);
});
