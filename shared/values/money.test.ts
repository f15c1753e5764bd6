import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatCredits, parseCredits } from './money.ts';

test('what is printed reads back to the unit, far beyond 2^53', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (amount) => {
      assert.equal(parseCredits(formatCredits(amount)), amount);
    }),
  );
});

test('credits print without trailing zeros', () => {
  assert.equal(formatCredits(1_500_000_000n), '1.5');
  assert.equal(formatCredits(-1n), '-0.000000001');
  assert.equal(formatCredits(12_000_000_000n), '12');
  assert.equal(formatCredits(0n), '0');
});

test('what is no exact amount is refused rather than rounded', () => {
  for (const text of ['', '1e3', '0.0000000001', '1,5', 'NaN', '1.', '.5', '--1', '0x10']) {
    assert.equal(parseCredits(text), undefined, text);
  }
});
