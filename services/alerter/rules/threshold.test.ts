import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds, overlaps, threshold, thresholdText } from './threshold.ts';

const anyThreshold = fc.record({
  operator: fc.constantFrom('above', 'atLeast', 'below', 'atMost', 'equals'),
  limit: fc.integer({ min: -3, max: 3 }),
});

test('a threshold is one operator with its number', () => {
  assert.deepEqual(threshold.parse({ atLeast: 80 }), { operator: 'atLeast', limit: 80 });
  for (const written of [{}, { above: 1, below: 3 }, { over: 1 }, { above: '1' }, { above: NaN }]) {
    assert.equal(threshold.safeParse(written).success, false, JSON.stringify(written));
  }
});

test('each operator holds on its side of the limit', () => {
  const at = (operator: 'above' | 'atLeast' | 'below' | 'atMost' | 'equals') =>
    [1, 2, 3].map((value) => holds({ operator, limit: 2 }, value));
  assert.deepEqual(at('above'), [false, false, true]);
  assert.deepEqual(at('atLeast'), [false, true, true]);
  assert.deepEqual(at('below'), [true, false, false]);
  assert.deepEqual(at('atMost'), [true, true, false]);
  assert.deepEqual(at('equals'), [false, true, false]);
});

test('two thresholds overlap when some number is in both', () => {
  const numbers = Array.from({ length: 41 }, (_, i) => (i - 20) / 4);
  fc.assert(
    fc.property(anyThreshold, anyThreshold, (a, b) => {
      assert.equal(
        overlaps(a, b),
        numbers.some((number) => holds(a, number) && holds(b, number)),
      );
    }),
  );
});

test('a threshold reads as people say it', () => {
  assert.equal(thresholdText({ operator: 'atLeast', limit: 80 }, '%'), 'at least 80 %');
  assert.equal(thresholdText({ operator: 'equals', limit: 1 }, ''), 'exactly 1');
});
