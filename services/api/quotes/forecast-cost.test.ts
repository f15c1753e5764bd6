import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WorkloadRun } from '../../../shared/stores/workload-reader.ts';
import { atStep, baseCost, spreadOf } from './forecast-cost.ts';

function run(charged: bigint, ...chargedAt: [step: number, microcredits: bigint][]): WorkloadRun {
  const lines = chargedAt.map(([step, microcredits]) => ({ step, microcredits }));
  return { cluster: 'c', application: 'a', start: 0, end: 1, charged, chargedAt: lines };
}

test('four runs and more: median and quartiles, each of them a run that was', () => {
  const runs = [40n, 10n, 30n, 20n, 90n];
  assert.deepEqual(spreadOf(runs), { low: 20n, expected: 30n, high: 40n });
});

test('fewer than four runs: all of them; none: nothing', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { low: 1, expected: 2, high: 3 });
  assert.deepEqual(spreadOf([7]), { low: 7, expected: 7, high: 7 });
  assert.equal(spreadOf([]), undefined);
});

test('the price of its time is taken out of a run', () => {
  assert.equal(baseCost(run(1_500n, [1_500, 1n])), 1_000n);
  // Half of its base cost at 1.00 X, half at 2.00 X.
  assert.equal(baseCost(run(3_000_000n, [1_000, 1_000n], [2_000, 2_000n])), 2_000_000n);
});

test('a run whose lines are too small to tell a price, or cancel out, counts as it was', () => {
  assert.equal(baseCost(run(999n, [1_500, 0n])), 999n);
  assert.equal(baseCost(run(5n)), 5n);
  assert.equal(baseCost(run(5n, [1_000, -4n], [2_000, 4n])), 5n);
});

test('taking a price out and putting it in again is a no-op up to the rounding', () => {
  const steps = fc.integer({ min: 16, max: 200 }).map((rung) => rung * 50);
  fc.assert(
    fc.property(fc.bigInt({ min: 1_000n, max: 10n ** 18n }), steps, (charged, step) => {
      const again = atStep(baseCost(run(charged, [step, charged / 1_000n])), step);
      const off = again > charged ? again - charged : charged - again;
      assert.ok(off <= charged / 1_000n + 10n, `${charged} became ${again}`);
    }),
  );
});
