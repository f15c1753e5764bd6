import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { QueuedBatch } from '../core/queue.ts';
import { kafkaConfig } from './kafka-config.ts';
import { KafkaPipeline } from './kafka-pipeline.ts';

const MIB = 1_048_576;

interface Taken {
  readonly batch: QueuedBatch;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

function setUp(more: object = {}) {
  const config = kafkaConfig('logs', ['json', 'text']).parse({
    brokers: ['k:9092'],
    topics: [
      { name: 'a', project: 'etl', cluster: 'main' },
      { name: 'b', format: 'text' },
    ],
    ...more,
  });
  const clock = new FakeClock();
  const metrics = new Metrics();
  const taken: Taken[] = [];
  const said = { room: 0, stored: 0 };
  const pipeline = new KafkaPipeline(
    {
      collector: 'logs',
      config,
      handler: {
        take: (batch, signal) =>
          new Promise((resolve, reject) => {
            taken.push({ batch, done: resolve, fail: reject });
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
          }),
      },
      clock,
      random: () => 1,
      logger: silentLogger,
      metrics,
    },
    {
      room: () => {
        said.room += 1;
      },
      stored: () => {
        said.stored += 1;
      },
    },
  );
  const offer = (first: number, values: readonly string[], topic = 'a', partition = 0): void => {
    const messages = values.map((value, i) => ({
      offset: String(first + i),
      key: null,
      value: Buffer.from(value),
    }));
    const lastOffset = BigInt(first + values.length - 1);
    pipeline.offer({ topic, partition, messages, lastOffset });
  };
  return { pipeline, clock, metrics, taken, said, offer };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a batch is handed on with what its topic says, and committed when it is stored', async () => {
  const { pipeline, taken, said, offer } = setUp();
  offer(17, ['{"a":1}', '{"a":2}'], 'a', 3);
  await turn();
  const { batch, done } = taken[0] ?? assert.fail();
  assert.equal(batch.origin, 'kafka:a/3');
  assert.deepEqual(
    batch.records.map(({ id, text }) => `${id} ${text}`),
    ['kafka:a/3#17 {"a":1}', 'kafka:a/3#18 {"a":2}'],
  );
  assert.deepEqual([batch.project, batch.cluster, batch.format], ['etl', 'main', 'json']);
  assert.deepEqual(pipeline.offsets.commits(), []);
  done();
  await turn();
  assert.equal(said.stored, 1);
  assert.deepEqual(pipeline.offsets.commits(), [{ topic: 'a', partition: 3, offset: 19n }]);
  assert.equal(pipeline.bytes, 0);
  await pipeline[Symbol.asyncDispose]();
});

test('a batch that comes again while it is in hand is not taken again', async () => {
  const { pipeline, taken, offer } = setUp();
  offer(0, ['1', '2', '3']);
  offer(0, ['1', '2', '3', '4']);
  await turn();
  assert.deepEqual(
    taken.map(({ batch }) => batch.records.map(({ text }) => text).join('')),
    ['123', '4'],
  );
  for (const { done } of taken) done();
  await pipeline[Symbol.asyncDispose]();
});

test('at half of what may be in flight it is full, and has room again at a quarter', async () => {
  const { pipeline, taken, said, offer, metrics } = setUp({
    inFlightMaxBytes: 4 * MIB,
    chunkMaxBytes: 65_536,
    parallelChunks: 1,
  });
  const large = 'x'.repeat(60_000);
  let offered = 0;
  for (; !pipeline.full; offered += 1) offer(offered, [large]);
  assert.ok(pipeline.bytes >= 2 * MIB && pipeline.bytes < 2 * MIB + 65_536);
  const [[, gauge] = []] = metrics.values('tollgate_kafka_in_flight_bytes');
  assert.equal(gauge, pipeline.bytes);
  while (pipeline.full) {
    await turn();
    assert.equal(said.room, 0);
    taken.shift()?.done();
    await turn();
  }
  assert.equal(said.room, 1);
  assert.ok(pipeline.bytes < MIB);
  while (pipeline.bytes > 0) {
    taken.shift()?.done();
    await turn();
  }
  await pipeline[Symbol.asyncDispose]();
});

test('what a collector refuses for now is tried again, later and later, and never passed', async () => {
  const { pipeline, clock, taken, offer } = setUp({ parallelChunks: 1 });
  offer(0, ['1']);
  for (const error of [new AppError('OVERLOADED', 'full'), new Error('a bug')]) {
    await turn();
    taken.shift()?.fail(error);
    await turn();
    assert.equal(taken.length, 0);
    assert.deepEqual(pipeline.offsets.commits(), []);
    await clock.advance(400);
  }
  await turn();
  taken.shift()?.done();
  await turn();
  assert.deepEqual(pipeline.offsets.commits(), [{ topic: 'a', partition: 0, offset: 1n }]);
  await pipeline[Symbol.asyncDispose]();
});

test('what waits for a partition that was given away is not stored by us', async () => {
  const { pipeline, taken, offer } = setUp({ parallelChunks: 1 });
  offer(0, ['mine'], 'a', 0);
  offer(0, ['given away'], 'a', 1);
  offer(0, ['mine too'], 'b', 0);
  await turn();
  pipeline.offsets.assign({ a: [0], b: [0] });
  for (let i = 0; i < 3; i += 1) {
    taken.at(-1)?.done();
    await turn();
  }
  assert.deepEqual(
    taken.map(({ batch }) => batch.records[0]?.text),
    ['mine', 'mine too'],
  );
  assert.equal(pipeline.bytes, 0);
  await pipeline[Symbol.asyncDispose]();
});

test('a stop waits for the store as long as it is told, then leaves the rest uncommitted', async () => {
  const { pipeline, clock, taken, offer } = setUp({ parallelChunks: 2, drainMs: 5_000 });
  offer(0, ['1'], 'a', 0);
  offer(0, ['2'], 'a', 1);
  offer(0, ['3'], 'a', 2);
  await turn();
  const stopped = pipeline[Symbol.asyncDispose]();
  offer(0, ['too late'], 'a', 3);
  taken[0]?.done();
  await turn();
  assert.equal(taken.length, 3);
  await clock.advance(5_000);
  await stopped;
  assert.deepEqual(pipeline.offsets.commits(), [{ topic: 'a', partition: 0, offset: 1n }]);
});
