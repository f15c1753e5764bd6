import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { influxConfig } from './config.ts';
import { DEFAULT_MEASUREMENTS, MetricSchema, schemaProblem } from './metric-schema.ts';

test('every allowed metric has a place of its own, and is found there again', () => {
  const schema = new MetricSchema(DEFAULT_MEASUREMENTS);
  const name = fc.constantFrom(...DEFAULT_MEASUREMENTS.map(({ measurement }) => measurement));
  fc.assert(
    fc.property(name, fc.string(), name, fc.string(), (m1, f1, m2, f2) => {
      const a = schema.place(m1, f1) ?? assert.fail();
      const b = schema.place(m2, f2) ?? assert.fail();
      assert.equal(a.measurement === b.measurement && a.field === b.field, m1 === m2 && f1 === f2);
      assert.equal(schema.home(m1), a.measurement);
      assert.equal(schema.fieldOf(m1, a.field), f1);
      assert.ok(schema.homes.has(a.measurement));
    }),
  );
});

test('what collectors themselves make is allowed without a word of configuration', () => {
  const schema = new MetricSchema(DEFAULT_MEASUREMENTS);
  const made = ['scrape', 'cluster', 'streaming_query', 'streaming_topic', 'streaming_partition'];
  for (const measurement of made) {
    assert.deepEqual(schema.place(measurement, 'up'), { measurement, field: 'up' });
  }
});

test('what is not in the list has no place', () => {
  const schema = new MetricSchema([{ measurement: 'jvm', fields: ['heap.*', 'x?'], into: 's' }]);
  assert.deepEqual(schema.place('jvm', 'heap.used'), { measurement: 's', field: 'jvm.heap.used' });
  assert.deepEqual(schema.place('jvm', 'x1'), { measurement: 's', field: 'jvm.x1' });
  assert.equal(schema.place('jvm', 'pools.used'), undefined);
  assert.equal(schema.place('JVM', 'heap.used'), undefined);
  assert.equal(schema.home('other'), undefined);
  assert.equal(schema.fieldOf('jvm', 'executor.x'), undefined);
});

test('a list in which two metrics would share a place is refused', () => {
  const one = { measurement: 'a', fields: ['*'] };
  assert.equal(schemaProblem(DEFAULT_MEASUREMENTS), undefined);
  assert.match(schemaProblem([one, one]) ?? '', /twice/);
  assert.match(schemaProblem([one, { ...one, measurement: 'b', into: 'a' }]) ?? '', /own/);
  assert.match(schemaProblem([{ ...one, measurement: 'a.b', into: 'c' }]) ?? '', /dot/);
  assert.match(schemaProblem([{ ...one, measurement: 'tollgate_window' }]) ?? '', /bookkeeping/);
  const parsed = influxConfig.safeParse({ url: 'http://x:1', measurements: [one, one] });
  assert.match(parsed.error?.message ?? '', /twice/);
});

test('a configuration needs its address only', () => {
  const config = influxConfig.parse({ url: 'http://127.0.0.1:8086' });
  assert.deepEqual(
    [config.database, config.requestsInFlight, config.rawRetentionMs],
    ['tollgate', 2, 48 * 3_600_000],
  );
  assert.equal(influxConfig.safeParse({ url: 'influx:8086' }).success, false);
  assert.equal(influxConfig.safeParse({ url: 'http://x', database: 'a"b' }).success, false);
  assert.equal(influxConfig.safeParse({ url: 'http://x', longStepMs: 7 * 60_000 }).success, false);
});
