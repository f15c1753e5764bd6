import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_WITNESS_RULE } from '../../shared/intervals/witness-trust.ts';
import { DEFAULT_PRICE_RULE } from '../../shared/price/price-rule.ts';
import { FULL_PRICE } from '../../shared/rating/outcome.ts';
import { DEFAULT_RATE_CARD } from '../../shared/values/rate-card.ts';
import { T0 } from '../../test/support/fact-builders.ts';
import { meteringConfig, outcomePolicyOf, poolOf, tariffOf, witnessRuleOf } from './config.ts';
import { priceRuleOf } from './price-config.ts';

test('without a word of configuration the defaults are those of the code', () => {
  const config = meteringConfig.parse({});
  assert.deepEqual(tariffOf(config).cardAt(T0), DEFAULT_RATE_CARD);
  assert.deepEqual(priceRuleOf(config.price), DEFAULT_PRICE_RULE);
  assert.equal(poolOf(config.pools)('anything'), 'default');
  assert.equal(config.leaseMs, 600_000);
  assert.deepEqual(witnessRuleOf(config), DEFAULT_WITNESS_RULE);
  assert.deepEqual(outcomePolicyOf(config), FULL_PRICE);
});

test('trust and what outcomes pay are configured, and a witness has one rank', () => {
  const config = meteringConfig.parse({
    trust: ['yarn', 'agent'],
    outcomes: { neverRun: 'free', preempted: 30, applicationMaster: 'free' },
  });
  const { trust } = witnessRuleOf(config);
  assert.deepEqual(trust, [
    'yarn',
    'agent',
    'event-log',
    'kubernetes',
    'standalone',
    'databricks',
    'emr',
  ]);
  const policy = { 'never-run': 0, preempted: 70, 'application-master': 0 };
  assert.deepEqual(outcomePolicyOf(config), policy);
  const wrong = meteringConfig.safeParse({
    trust: ['yarn', 'yarn'],
    outcomes: { preempted: 101 },
    toleranceMs: -1,
  });
  const places = wrong.error?.issues.map(({ path }) => path.join('.')).sort();
  assert.deepEqual(places, ['outcomes.preempted', 'toleranceMs', 'trust']);
});

test('a cluster belongs to the pool that names it, else to the one that takes the rest', () => {
  const { pools } = meteringConfig.parse({
    pools: [
      { id: 'gpu', clusters: ['k8s-gpu'] },
      { id: 'cpu', clusters: ['*'] },
    ],
  });
  assert.deepEqual(['k8s-gpu', 'yarn-1'].map(poolOf(pools)), ['gpu', 'cpu']);
  const { pools: named } = meteringConfig.parse({ pools: [{ id: 'a', clusters: ['x'] }] });
  assert.equal(poolOf(named)('y'), undefined);
});

test('every fault is found at once and named by its place', () => {
  const result = meteringConfig.safeParse({
    rateCard: { coreSecond: '-1', gpuSecond: '11', validFrom: '2026-01-01T00:30:00Z' },
    price: { cap: 1.07 },
    projects: [{ id: 'Not A Project!', grants: [{ id: 'g', credits: '1e3' }] }],
  });
  const places = result.error?.issues.map(({ path }) => path.join('.'));
  assert.deepEqual(places?.sort(), [
    'price.cap',
    'projects.0.grants.0.credits',
    'projects.0.id',
    'rateCard.coreSecond',
    'rateCard.gpuSecond',
    'rateCard.validFrom',
  ]);
});

test('two cards of one time, two pools of one name and a shared cluster are refused', () => {
  const card = { id: 'old', coreSecond: '0.0001' };
  const messages = (input: object) =>
    meteringConfig.safeParse(input).error?.issues.map(({ message }) => message);
  assert.match(`${messages({ earlierRateCards: [card] })}`, /its own validFrom/);
  const pools = [
    { id: 'a', clusters: ['x'] },
    { id: 'a', clusters: ['x'] },
  ];
  assert.deepEqual(messages({ pools }), ['two pools have one id', 'a cluster is in two pools']);
});

test('every multiplier on the ladder is accepted', () => {
  for (let step = 1_000; step <= 10_000; step += 50) {
    assert.ok(meteringConfig.safeParse({ price: { cap: step / 1_000 } }).success, `${step}`);
  }
});
