import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_RATE_CARD } from '../values/rate-card.ts';
import { explainAmount } from './explain-amount.ts';
import { rateQuantity } from './rate-interval.ts';

const units = fc.bigInt(0n, 10n ** 18n);

test('the arithmetic told is the one that charges, to the unit', () => {
  fc.assert(
    fc.property(
      fc.record({ containerMs: units, millicoreMs: units, mibMs: units, gpuMs: units }),
      fc.integer({ min: 2, max: 200 }).map((rung) => rung * 50),
      fc.record({
        id: fc.constant('card'),
        coreSecond: fc.bigInt(0n, 10n ** 9n),
        gibSecond: fc.bigInt(0n, 10n ** 9n),
        gpuSecond: fc.bigInt(0n, 10n ** 10n),
        rule: fc.constantFrom('additive' as const, 'dominant' as const),
        scale: fc.bigInt(1n, 1_000n),
      }),
      fc.integer({ min: 0, max: 100 }),
      (quantity, step, card, percent) => {
        assert.equal(
          explainAmount(quantity, step, card, percent).amount,
          rateQuantity(quantity, step, card, percent),
        );
      },
    ),
  );
});

test('each product is exact, and only their sum is rounded', () => {
  // 1 ms of 1 millicore, 1 MiB and 1 GPU: far below a nanocredit but for the GPU.
  const quantity = { containerMs: 1n, millicoreMs: 1n, mibMs: 1n, gpuMs: 1n };
  const { terms, exact, amount } = explainAmount(quantity, 1_150, DEFAULT_RATE_CARD);
  assert.deepEqual(
    terms.map((term) => [term.resource, term.exact]),
    [
      ['cores', '1.035'],
      ['memory', '0.1123046875'],
      ['gpus', '23000'],
    ],
  );
  assert.equal(exact, '23001.1473046875');
  assert.equal(amount, 23_001n);
});

test('a tie goes to the even unit', () => {
  const card = { id: 'tie', coreSecond: 500n, gibSecond: 0n, gpuSecond: 0n };
  const ofMs = (ms: bigint) =>
    explainAmount({ containerMs: ms, millicoreMs: ms * 1_000n, mibMs: 0n, gpuMs: 0n }, 1_000, card);
  assert.deepEqual([ofMs(1n).exact, ofMs(1n).amount], ['0.5', 0n]);
  assert.deepEqual([ofMs(3n).exact, ofMs(3n).amount], ['1.5', 2n]);
});
