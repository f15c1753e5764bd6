import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../../shared/contracts/metric-point.ts';
import { queryStateCode, verdictCode } from '../../../shared/contracts/progress-record.ts';
import { restMetrics, restStreamingQueries } from '../../../shared/contracts/rest.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { problemOf } from '../../../test/support/problem-of.ts';
import { type RunningApi, runningApi } from '../../../test/support/running-api.ts';

type Point = readonly [series: Series, at: number, value: number];

async function write(api: RunningApi, points: readonly Point[]): Promise<void> {
  const refs = points.map(([series]) => api.metricWriter.declare(series));
  await api.metricWriter.write(
    {
      series: Uint32Array.from(refs),
      at: Float64Array.from(points.map(([, at]) => at)),
      value: Float64Array.from(points.map(([, , value]) => value)),
      length: points.length,
    },
    [],
  );
}

const TAGS = {
  project: 'etl',
  cluster: 'yarn-1',
  application: 'app-1',
  query: 'q1',
  name: 'clicks',
};

function progress(at: number, run: string, fields: Record<string, number>): Point[] {
  const tags = { ...TAGS, run };
  return Object.entries(fields).map(([field, value]) => [
    { measurement: 'streaming_query', field, tags },
    at,
    value,
  ]);
}

function partition(at: number, run: string, number: string, lag: number): Point[] {
  const tags = { ...TAGS, run, topic: 'clicks', partition: number };
  const fields = { lag, verdict: verdictCode(lag > 5 ? 'stall' : 'ok') };
  return Object.entries(fields).map(([field, value]) => [
    { measurement: 'streaming_partition', field, tags },
    at,
    value,
  ]);
}

const PATH = '/v1/projects/etl/streaming-queries';

test('a query shows its latest run with lag, rates and verdict, by partition', async () => {
  await using api = await runningApi({ now: T0 });
  await write(api, [
    ...progress(T0 - 90_000, 'run-1', { batch_id: 7, lag: 1 }),
    ...progress(T0 - 10_000, 'run-2', {
      batch_id: 8,
      lag: 12,
      verdict: verdictCode('stall'),
      state: queryStateCode('running'),
      input_rows_per_second: 1.5,
    }),
    ...partition(T0 - 90_000, 'run-1', '0', 3),
    ...partition(T0 - 10_000, 'run-2', '0', 2),
    ...partition(T0 - 10_000, 'run-2', '1', 10),
  ]);
  const { queries } = await api.get(PATH, restStreamingQueries);
  assert.equal(queries.length, 1);
  const [query] = queries;
  assert.deepEqual(
    [query?.runId, query?.verdict, query?.state, query?.lag, query?.batchId],
    ['run-2', 'stall', 'running', 12, 8],
  );
  assert.equal(query?.inputRowsPerSecond, 1.5);
  assert.equal(query?.stateRows, null);
  assert.deepEqual(query?.partitions, [
    { topic: 'clicks', partition: '0', lag: 2, verdict: 'ok' },
    { topic: 'clicks', partition: '1', lag: 10, verdict: 'stall' },
  ]);
});

test('a query of another project, or of the day before yesterday, is not shown', async () => {
  await using api = await runningApi({ now: T0 });
  await api.stores.grants.register('etl' as never);
  await api.stores.grants.register('ml' as never);
  const old = progress(T0 - 25 * HOUR_MS, 'run-1', { lag: 1 }).map(
    ([series, ...point]): Point => [{ ...series, tags: { ...series.tags, query: 'q0' } }, ...point],
  );
  await write(api, [...old, ...progress(T0 - 23 * HOUR_MS, 'run-1', { lag: 1 })]);
  const { queries } = await api.get(PATH, restStreamingQueries);
  assert.deepEqual(
    queries.map(({ id }) => id),
    ['q1'],
  );
  const ml = await api.get('/v1/projects/ml/streaming-queries', restStreamingQueries);
  assert.deepEqual(ml.queries, []);
});

test('time series come raw or in windows, narrowed by tags', async () => {
  await using api = await runningApi({ now: T0 });
  const series = (executor: string): Series => ({
    measurement: 'jvm',
    field: 'heap.used',
    tags: { project: 'etl', cluster: 'yarn-1', executor },
  });
  await write(api, [
    [series('1'), T0 - 110_000, 10],
    [series('1'), T0 - 100_000, 20],
    [series('2'), T0 - 100_000, 5],
  ]);
  const path = '/v1/projects/etl/metrics?measurement=jvm&field=heap.used';
  const raw = await api.get(`${path}&step=0&tags=executor=1`, restMetrics);
  assert.deepEqual(
    raw.series.map(({ points }) => points),
    [
      [
        [T0 - 110_000, 10],
        [T0 - 100_000, 20],
      ],
    ],
  );
  const mean = await api.get(`${path}&step=60000&aggregate=max`, restMetrics);
  assert.deepEqual(mean.series.map(({ points }) => points.map(([, value]) => value)).sort(), [
    [20],
    [5],
  ]);
  await problemOf(await fetch(`${api.url}${path}&from=-30d&step=1`), 400);
  await problemOf(await fetch(`${api.url}${path}&tags=x`), 400);
});
