import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { splitWhole } from './split-whole.ts';

test('parts add up to the whole, whatever the weights', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
      fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 40 }),
      (whole, weights) => {
        const parts = splitWhole(whole, weights);
        assert.equal(
          parts.reduce((sum, part) => sum + part, 0n),
          whole,
        );
      },
    ),
  );
});

test('no part is a whole unit away from its exact share', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 18n }),
      fc.array(fc.bigInt({ min: 1n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 }),
      (whole, weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0n);
        splitWhole(whole, weights).forEach((part, i) => {
          const difference = part * total - whole * (weights[i] ?? 0n);
          assert.ok((difference < 0n ? -difference : difference) < total);
        });
      },
    ),
  );
});

test('the largest remainder gets the unit that is left, a tie the first', () => {
  assert.deepEqual(splitWhole(10n, [1n, 1n, 1n]), [4n, 3n, 3n]);
  assert.deepEqual(splitWhole(5n, [1n, 2n]), [2n, 3n]);
  assert.deepEqual(splitWhole(-10n, [1n, 1n, 1n]), [-4n, -3n, -3n]);
});

test('a whole without any weight goes to the first part', () => {
  assert.deepEqual(splitWhole(7n, [0n, 0n]), [7n, 0n]);
});

test('no parts and negative weights are bugs', () => {
  assert.throws(() => splitWhole(1n, []), RangeError);
  assert.throws(() => splitWhole(1n, [-1n]), RangeError);
});

test('Rounding drift in splits: splitting parts again and again loses no unit, in any order', () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 6n }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
      fc.array(weights, { minLength: 1, maxLength: 3 }),
      (whole, levels) => {
        let parts = [whole];
        for (const level of levels) parts = parts.flatMap((part) => splitWhole(part, level));
        const sum = (list: readonly bigint[]) => list.reduce((total, part) => total + part, 0n);
        assert.equal(sum(parts), whole);
        assert.equal(sum(parts.toReversed()), whole);
      },
    ),
  );
});
