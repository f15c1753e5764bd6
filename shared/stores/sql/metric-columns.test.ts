import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ColumnEncoder, decodeColumns } from './metric-columns.ts';

function roundTrip(values: readonly number[]): number[] {
  const blob = new ColumnEncoder().encode([Float64Array.from(values)], 0, values.length);
  return [...(decodeColumns(blob.slice())[0] ?? [])];
}

const value = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.integer().map((cents) => cents / 100),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53) - 2, 1e300),
);

test('any doubles come back bit for bit', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), (values) => {
      const back = roundTrip(values);
      assert.equal(back.length, values.length);
      values.forEach((expected, i) => {
        assert.ok(Object.is(back[i], expected), `${back[i]} is not ${expected}`);
      });
    }),
  );
});

test('columns of one kind come back exactly and take few bytes', () => {
  const bytesOf = (values: number[]): number => {
    assert.deepEqual(roundTrip(values), values);
    return new ColumnEncoder().encode([Float64Array.from(values)], 0, values.length).length;
  };
  const many = Array.from({ length: 100 }, (_, i) => i);
  assert.equal(bytesOf(many.map(() => 0.1)), 14);
  assert.equal(bytesOf(many.map((i) => 1_795_245_744_000 + i * 5_000)), 22);
  assert.equal(bytesOf(many.map((i) => (i * 7) % 13)), 115);
  assert.equal(bytesOf(many.map((i) => ((i * 7) % 1300) / 100)), 215);
  assert.equal(bytesOf(many.map((i) => 1_795_245_744_000 + ((i * 7919) % 100_000) * 1000)), 415);
});

test('several columns and a part of them are packed together', () => {
  const encoder = new ColumnEncoder();
  encoder.encode([new Float64Array(10_000).map(() => Math.PI)], 0, 10_000);
  const blob = encoder.encode([Float64Array.of(1, 2, 4, 9), Float64Array.of(5, 6.5, 7, 8)], 1, 3);
  assert.deepEqual(decodeColumns(blob.slice()), [Float64Array.of(2, 4), Float64Array.of(6.5, 7)]);
});

test('a blob that is cut is refused, not read as something else', () => {
  const blob = new ColumnEncoder().encode([Float64Array.of(1, 2.123, 4.5)], 0, 3).slice(0, 20);
  assert.throws(() => decodeColumns(blob), RangeError);
});
