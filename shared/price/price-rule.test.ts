import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PRICE_RULE, targetPrice } from './price-rule.ts';

test('the price is the base up to the knee, then rises with load to the cap', () => {
  const target = (load: number) => Math.round(targetPrice(load, DEFAULT_PRICE_RULE));
  assert.deepEqual([0, 0.6, 0.8, 1, 2].map(target), [1_000, 1_000, 2_000, 3_000, 3_000]);
});

test('an empty pool is cheaper only where a floor below one is set', () => {
  const rule = { ...DEFAULT_PRICE_RULE, floor: 800, quiet: 0.4 };
  assert.deepEqual(
    [0, 0.2, 0.4, 0.5].map((load) => Math.round(targetPrice(load, rule))),
    [800, 900, 1_000, 1_000],
  );
});
