import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_QUANTITY } from '../contracts/charge.ts';
import { HOUR_MS } from '../values/instant.ts';
import type { RateCard } from '../values/rate-card.ts';
import {
  addSpending,
  idleAmount,
  NO_SPENDING,
  type SlotParts,
  totalSpending,
  whereItWent,
} from './where-it-went.ts';

const slots: SlotParts = { usefulMs: 1, wastedMs: 1, idleMs: 1, tailMs: 0, startUpMs: 0 };

test('executors are split by slot time, the driver and the master are parts of their own', () => {
  const parts = whereItWent(
    [
      { role: 'executor', amount: 100n },
      { role: 'driver', amount: 7n },
      { role: 'application-master', amount: 5n },
    ],
    slots,
  );
  assert.deepEqual(parts, {
    ...NO_SPENDING,
    useful: 34n,
    wasted: 33n,
    idle: 33n,
    driver: 7n,
    applicationMaster: 5n,
  });
});

test('what nobody told is untold: executors without slot time, and roles of a later Tollgate', () => {
  const amounts = [
    { role: 'executor', amount: 10n },
    { role: 'shuffle-service', amount: 2n },
  ];
  const none = { usefulMs: 0, wastedMs: 0, idleMs: 0, tailMs: 0, startUpMs: 0 };
  for (const nobody of [undefined, none]) {
    assert.deepEqual(whereItWent(amounts, nobody), { ...NO_SPENDING, untold: 12n });
  }
  assert.equal(whereItWent(amounts, slots).untold, 2n);
});

test('parts add up to the charges, whatever was charged, corrected or told', () => {
  const ms = fc.integer({ min: 0, max: 2 ** 45 });
  const told = fc.record({ usefulMs: ms, wastedMs: ms, idleMs: ms, tailMs: ms, startUpMs: ms });
  const role = fc.constantFrom('executor', 'driver', 'application-master', 'other');
  const amount = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });
  fc.assert(
    fc.property(
      fc.array(fc.record({ role, amount }), { maxLength: 8 }),
      fc.option(told, { nil: undefined }),
      (amounts, some) => {
        const whole = amounts.reduce((sum, one) => sum + one.amount, 0n);
        const parts = whereItWent(amounts, some);
        assert.equal(totalSpending(parts), whole);
        const twice = addSpending(parts, parts);
        assert.equal(totalSpending(twice), whole * 2n);
      },
    ),
  );
});

test('idle nodes are rated at the base price of their hour, over-granted ones count against it', () => {
  const card = (coreSecond: bigint): RateCard => ({
    id: 'c',
    coreSecond,
    gibSecond: 0n,
    gpuSecond: 0n,
  });
  const idle = (millicoreMs: bigint) => ({ ...NO_QUANTITY, millicoreMs });
  const hours = [
    { hour: 0, idle: idle(2_000n * 1_000n) },
    { hour: HOUR_MS, idle: idle(1_000n * 1_000n) },
    { hour: 2 * HOUR_MS, idle: idle(-1_000n * 1_000n) },
  ];
  // 2 core-seconds at 10, then 1 and −1 at 30.
  assert.equal(
    idleAmount(hours, (hour) => card(hour === 0 ? 10n : 30n)),
    20n,
  );
  assert.equal(
    idleAmount([], () => card(1n)),
    0n,
  );
});
