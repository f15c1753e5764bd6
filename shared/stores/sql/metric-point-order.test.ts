import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { groupBySeries, orderByTime } from './metric-point-order.ts';

const points = fc.array(fc.tuple(fc.nat(6), fc.nat(8), fc.integer()), { maxLength: 40 });

function columns(rows: readonly (readonly [number, number, number])[]) {
  return {
    series: Uint32Array.from(rows, ([series]) => series),
    at: Float64Array.from(rows, ([, at]) => at),
    value: Float64Array.from(rows, ([, , value]) => value),
  };
}

test('grouping keeps every point, and the order of arrival within a series', () => {
  fc.assert(
    fc.property(points, (rows) => {
      const { series, at, value, starts } = groupBySeries(columns(rows));
      const grouped = Array.from(series, (id, i) => [id, at[i], value[i]]);
      const expected = rows.toSorted(([a], [b]) => a - b);
      assert.deepEqual(grouped, expected);
      for (let id = 0; id + 1 < starts.length; id += 1) {
        assert.ok(series.subarray(starts[id], starts[id + 1]).every((other) => other === id));
      }
    }),
  );
});

test('ordering sorts by time, and of equal times the last to come stands', () => {
  fc.assert(
    fc.property(points, (rows) => {
      const { at, value } = columns(rows);
      const end = orderByTime(at, value, 0, rows.length);
      const last = new Map(rows.map(([, time, v]) => [time, v]));
      assert.deepEqual(
        Array.from(at.subarray(0, end), (time, i) => [time, value[i]]),
        [...last].sort(([a], [b]) => a - b),
      );
    }),
  );
});

test('ordering leaves alone what lies outside its range', () => {
  const at = Float64Array.of(9, 3, 2, 3, 1);
  const value = Float64Array.of(0, 1, 2, 3, 4);
  assert.equal(orderByTime(at, value, 1, 4), 3);
  assert.deepEqual([...at.subarray(0, 3)], [9, 2, 3]);
  assert.deepEqual([...value.subarray(0, 3)], [0, 2, 3]);
  assert.equal(at[4], 1);
});
