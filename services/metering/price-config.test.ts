import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PRICE_RULE } from '../../shared/price/price-rule.ts';
import { T0 } from '../../test/support/fact-builders.ts';
import { meteringConfig, poolOf, tariffOf } from './config.ts';
import { priceRuleOf } from './price-config.ts';

const places = (input: object): string[] => {
  const { error } = meteringConfig.safeParse(input);
  return (error?.issues ?? []).map(({ path }) => path.join('.')).sort();
};

test('multipliers become steps, and autoscaled clusters their capacity', () => {
  const { price, clusters } = meteringConfig.parse({
    price: { cap: 1.5, floor: 0.8, moveMax: 0.05 },
    clusters: [
      { id: 'emr-1', capacityMax: { cores: 640, memoryGib: 2_560 } },
      { id: 'lab', use: 'transient' },
    ],
  });
  const capacityMax = { 'emr-1': { millicores: 640_000, memoryMib: 2_621_440, gpus: 0 } };
  const expected = { ...DEFAULT_PRICE_RULE, cap: 1_500, floor: 800, moveMax: 50, capacityMax };
  assert.deepEqual(priceRuleOf(price, clusters), expected);
});

test('a cluster that is not shared has the base price, unless a pool names it', () => {
  const { pools, clusters } = meteringConfig.parse({
    pools: [
      { id: 'rest', clusters: ['*'] },
      { id: 'gpu', clusters: ['one-app'] },
    ],
    clusters: [
      { id: 'job-17', use: 'transient' },
      { id: 'one-app', use: 'single-application' },
      { id: 'yarn-1' },
    ],
  });
  assert.deepEqual(['job-17', 'one-app', 'yarn-1', 'other'].map(poolOf(pools, clusters)), [
    undefined,
    'gpu',
    'rest',
    'rest',
  ]);
});

test('a rule that contradicts itself or would swing is refused, a pool’s own too', () => {
  assert.deepEqual(places({ price: { quiet: 0.9, lostMs: 60_000 } }), [
    'price.lostMs',
    'price.quiet',
  ]);
  const pool = { id: 'gpu', clusters: ['k8s'], price: { holdMs: 60_000 } };
  assert.deepEqual(places({ pools: [pool], clusters: [{ id: 'a' }, { id: 'a' }] }), [
    'clusters',
    'pools.0.price.holdMs',
  ]);
});

test('a pool may have a rule of its own', () => {
  const { pools } = meteringConfig.parse({
    pools: [{ id: 'gpu', clusters: ['k8s'], price: { cap: 5 } }],
  });
  const [gpu] = pools;
  assert.ok(gpu?.price !== undefined);
  assert.deepEqual(priceRuleOf(gpu.price), { ...DEFAULT_PRICE_RULE, cap: 5_000 });
});

test('a card fixes prices of projects on the ladder, and names the projects as they are', () => {
  const tariff = tariffOf(meteringConfig.parse({ rateCard: { fixedMultipliers: { etl: 0.9 } } }));
  assert.equal(tariff.fixedStepAt(T0, 'etl'), 900);
  const wrong = { etl: 1.07, 'Not A Project!': 1 };
  assert.deepEqual(places({ rateCard: { fixedMultipliers: wrong } }), [
    'rateCard.fixedMultipliers.Not A Project!',
    'rateCard.fixedMultipliers.etl',
  ]);
});
