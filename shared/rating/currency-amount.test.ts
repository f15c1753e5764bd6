import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { currencyAmount, isCurrency } from './currency-amount.ts';

test('money has the decimals of its currency', () => {
  const credits = 1_234_567_890_123n;
  const of = (currency: string) => currencyAmount(credits, { currency, perCredit: 10n ** 9n });
  assert.deepEqual(['EUR', 'JPY', 'KWD'].map(of), ['1234.57', '1235', '1234.568']);
  const negative = currencyAmount(-4_000_000n, { currency: 'EUR', perCredit: 10n ** 9n });
  assert.equal(negative, '0.00');
  assert.equal(currencyAmount(-70_000_000n, { currency: 'EUR', perCredit: 10n ** 9n }), '-0.07');
});

test('Rounding of products: price and quantity are exact, the total is rounded once', () => {
  const price = { currency: 'EUR', perCredit: 1_234_567_89n };
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { minLength: 1 }), (rows) => {
      const total = rows.reduce((sum, row) => sum + row, 0n);
      const cents = BigInt(currencyAmount(total, price).replace('.', ''));
      // At most half a cent from the exact product, however many rows.
      const twice = 2n * (cents * 10n ** 16n - total * price.perCredit);
      assert.ok(twice <= 10n ** 16n && twice >= -(10n ** 16n));
    }),
  );
  // A tie goes to the even cent: 0.125 and 0.135.
  const euro = { currency: 'EUR', perCredit: 10n ** 9n };
  assert.equal(currencyAmount(125_000_000n, euro), '0.12');
  assert.equal(currencyAmount(135_000_000n, euro), '0.14');
});

test('codes are those of ISO 4217', () => {
  assert.deepEqual(['EUR', 'JPY', 'euro', 'XYZ', ''].map(isCurrency), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
