import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { divideHalfEven } from './divide-half-even.ts';

test('a tie goes to the even quotient, on both sides of zero', () => {
  assert.equal(divideHalfEven(1n, 2n), 0n);
  assert.equal(divideHalfEven(3n, 2n), 2n);
  assert.equal(divideHalfEven(5n, 2n), 2n);
  assert.equal(divideHalfEven(-1n, 2n), 0n);
  assert.equal(divideHalfEven(-3n, 2n), -2n);
});

test('the result is never further than half a unit from the exact quotient', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.bigInt({ min: 1n, max: 10n ** 15n }),
      (numerator, denominator) => {
        const distance = numerator - divideHalfEven(numerator, denominator) * denominator;
        const twice = distance < 0n ? -2n * distance : 2n * distance;
        assert.ok(twice <= denominator);
      },
    ),
  );
});

test('rounding is symmetric, so that a retraction undoes its charge to the unit', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt({ min: 1n }), (numerator, denominator) => {
      assert.equal(
        divideHalfEven(-numerator, denominator),
        -divideHalfEven(numerator, denominator),
      );
    }),
  );
});

test('a denominator that is not positive is a bug', () => {
  assert.throws(() => divideHalfEven(1n, 0n), RangeError);
  assert.throws(() => divideHalfEven(1n, -2n), RangeError);
});
