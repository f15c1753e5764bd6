import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MINUTE_MS } from '../../values/instant.ts';
import { MetricBuckets } from './metric-buckets.ts';
import { aggregateMinutes, minuteColumns, minuteOf, minutesOfColumns } from './metric-minutes.ts';

test('a minute holds the smallest, largest, sum, number and last of its points', () => {
  const at = Float64Array.of(60_000, 61_000, 119_999, 120_000, 600_000);
  const value = Float64Array.of(5, -1, 2, 7, 0);
  const minutes = aggregateMinutes(at, value, 0, 5);
  assert.deepEqual(
    minuteColumns(minutes).map((column) => [...column]),
    [
      [60_000, 120_000, 600_000],
      [-1, 7, 0],
      [5, 7, 0],
      [6, 7, 0],
      [3, 1, 1],
      [2, 7, 0],
    ],
  );
  assert.deepEqual(minutesOfColumns(minuteColumns(minutes)), minutes);
});

test('a minute begins at whole minutes, before 1970 too', () => {
  assert.equal(minuteOf(59_999), 0);
  assert.equal(minuteOf(-1), -60_000);
});

test('a part of the columns is aggregated alone', () => {
  const at = Float64Array.of(0, 1, 2, 3);
  const minutes = aggregateMinutes(at, Float64Array.of(9, 1, 2, 9), 1, 3);
  assert.deepEqual([...minutes.sum], [3]);
});

test('windows of whole minutes are the same from minutes as from points', () => {
  const times = fc.uniqueArray(fc.nat(20 * MINUTE_MS), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 5 }), (unordered, steps) => {
      const at = Float64Array.from(unordered).sort();
      const value = at.map((time) => (time * 7919) % 1000);
      const fromPoints = new MetricBuckets(steps * MINUTE_MS);
      fromPoints.addPoints(at, value);
      const fromMinutes = new MetricBuckets(steps * MINUTE_MS);
      fromMinutes.addMinutes(aggregateMinutes(at, value, 0, at.length), 0, 99 * MINUTE_MS);
      for (const aggregate of ['last', 'mean', 'min', 'max', 'sum', 'count'] as const) {
        assert.deepEqual(fromMinutes.read(aggregate), fromPoints.read(aggregate));
      }
    }),
  );
});

test('minutes outside the asked time are left out', () => {
  const buckets = new MetricBuckets(MINUTE_MS);
  const at = Float64Array.of(0, MINUTE_MS, 2 * MINUTE_MS);
  buckets.addMinutes(aggregateMinutes(at, at, 0, 3), MINUTE_MS, 2 * MINUTE_MS);
  assert.deepEqual(buckets.read('last'), [[MINUTE_MS, MINUTE_MS]]);
});
