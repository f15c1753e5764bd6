import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeriesRef } from '../../../shared/contracts/metric-point.ts';
import type { MetricWriter } from '../../../shared/stores/metric-store.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MapQuarantine } from '../../../test/support/map-quarantine.ts';
import { MetricPipeline } from './metric-pipeline.ts';
import { PointBatch } from './point-batch.ts';
import { SeriesTable } from './series-table.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A pipeline whose writes stand until the test lets them through. */
function open() {
  const writes: { points: number; done: () => void; fail: (error: Error) => void }[] = [];
  const released: SeriesRef[] = [];
  let refs = 0;
  const writer: MetricWriter = {
    declare: () => refs++,
    release: (gone) => void released.push(...gone),
    checkpoints: () => Promise.resolve([]),
    write: ({ length }) =>
      new Promise((resolve, reject) => {
        writes.push({ points: length, done: resolve, fail: reject });
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const clock = new FakeClock();
  const metrics = new Metrics();
  const table = new SeriesTable(writer, { maxNames: 100, maxSeriesPerProject: 100 });
  const pipeline = new MetricPipeline(
    {
      writer,
      table,
      clock,
      metrics,
      quarantine: new MapQuarantine(),
      random: () => 0,
      logger: silentLogger,
    },
    { batchPoints: 10, seriesIdleMs: 60_000 },
  );
  const add = (points: number): void => {
    for (let i = 0; i < points; i += 1) pipeline.batch.add(0, i, i);
  };
  const run = pipeline.run(new AbortController().signal);
  return { pipeline, table, clock, metrics, writes, released, add, run };
}

test('while one batch is stored the next one fills, and then readers wait', async () => {
  const { pipeline, writes, add, run } = open();
  add(4);
  await pipeline.room();
  await turn();
  assert.deepEqual(
    writes.map(({ points }) => points),
    [4],
  );
  add(9);
  await pipeline.room();
  add(1);
  let hasRoom = false;
  const room = pipeline.room().then(() => {
    hasRoom = true;
  });
  await turn();
  assert.equal(hasRoom, false);
  writes[0]?.done();
  await room;
  assert.deepEqual(
    writes.map(({ points }) => points),
    [4, 10],
  );
  writes[1]?.done();
  pipeline.close();
  await run;
});

test('closing stores what is left before it ends', async () => {
  const { pipeline, writes, add, run } = open();
  add(3);
  pipeline.close();
  await turn();
  writes[0]?.done();
  await run;
  assert.deepEqual(
    writes.map(({ points }) => points),
    [3],
  );
});

test('a store that refuses for good loses the batch, counted, and the next one is stored', async () => {
  const { pipeline, metrics, writes, add, run } = open();
  add(5);
  await pipeline.room();
  await turn();
  writes[0]?.fail(new Error('a bug'));
  await turn();
  add(2);
  await pipeline.room();
  await turn();
  writes[1]?.done();
  pipeline.close();
  await run;
  const counted = [...metrics.values('tollgate_records_total').entries()];
  assert.deepEqual(
    counted.map(([labels, count]) => [/reason="([^"]*)"/.exec(labels)?.[1], count]),
    [
      ['store-failed', 5],
      ['', 2],
    ],
  );
});

test('a ref is given back only when pushed batches that may hold it are stored', async () => {
  const { pipeline, table, clock, writes, released, add, run } = open();
  const tags = { project: 'unattributed' };
  table.add('a', { series: { measurement: 'm', field: 'f', tags }, provisional: true });
  const pushed = new PointBatch();
  pushed.add(0, 1, 1);
  const push = pipeline.push(pushed, new AbortController().signal);
  await clock.advance(20_000);
  add(1);
  await pipeline.room();
  await turn();
  writes[1]?.done();
  await turn();
  assert.deepEqual(released, []);
  writes[0]?.done();
  await push;
  await turn();
  assert.deepEqual(released, [0]);
  pipeline.close();
  await run;
});
