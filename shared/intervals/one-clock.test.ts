import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { containerFact, T0 } from '../../test/support/fact-builders.ts';
import type { ContainerFact, Witness } from '../contracts/container-fact.ts';
import { MINUTE_MS } from '../values/instant.ts';
import { containerLife } from './container-life.ts';
import { DEFAULT_TRUST, type WitnessRule, wholeTrust } from './witness-trust.ts';

const MINUTES_5 = 5 * MINUTE_MS;
const RULE: WitnessRule = { trust: DEFAULT_TRUST, toleranceMs: 60_000 };

function lifeOf(facts: readonly ContainerFact[], rule = RULE) {
  const witnessed = { facts, evidence: undefined, learnedAt: T0, applicationEnd: () => undefined };
  return containerLife(witnessed, T0 + 60 * MINUTE_MS, 10 * MINUTE_MS, rule);
}

function seenBy(witness: Witness, start: number, stop: number): ContainerFact[] {
  return [
    containerFact('container-started', start, { witness }),
    containerFact('container-stopped', stop, { witness }),
  ];
}

test('start and stop are of one clock: five minutes of skew lengthen no life', () => {
  for (const skew of [-MINUTES_5, MINUTES_5]) {
    const facts = [
      ...seenBy('event-log', T0, T0 + 120_000),
      ...seenBy('yarn', T0 - 4_000 + skew, T0 + 125_000 + skew),
    ];
    const { life } = lifeOf(facts);
    assert.deepEqual([life?.start, life?.end], [T0, T0 + 120_000], `${skew}`);
  }
});

test('within the tolerance a container is held from its allocation on', () => {
  const facts = [
    ...seenBy('event-log', T0, T0 + 120_000),
    containerFact('container-started', T0 - 9_000, { witness: 'yarn' }),
  ];
  assert.equal(lifeOf(facts).life?.start, T0 - 9_000);
});

test('a witness that told both goes before a more trusted one that told only a far stop', () => {
  const facts = [
    ...seenBy('yarn', T0, T0 + 120_000),
    containerFact('container-stopped', T0 + 120_000 + MINUTES_5, { witness: 'event-log' }),
  ];
  assert.equal(lifeOf(facts).life?.end, T0 + 120_000);
  const near = containerFact('container-stopped', T0 + 130_000, { witness: 'event-log' });
  assert.equal(lifeOf([...facts.slice(0, 2), near]).life?.end, T0 + 130_000);
});

test('the configured order of trust decides, and names that are missing come last', () => {
  const facts = [...seenBy('event-log', T0, T0 + 1_000), ...seenBy('yarn', T0, T0 + 2_000)];
  assert.equal(lifeOf(facts).life?.end, T0 + 1_000);
  const trust = wholeTrust(['yarn']);
  assert.deepEqual(trust, [
    'yarn',
    'agent',
    'event-log',
    'kubernetes',
    'standalone',
    'databricks',
    'emr',
  ]);
  assert.equal(lifeOf(facts, { ...RULE, trust }).life?.end, T0 + 2_000);
});

test('disagreement beyond the tolerance is told with who, when and how far apart', () => {
  const facts = [...seenBy('event-log', T0, T0 + 1_000), ...seenBy('yarn', T0 + 1, T0 + 61_001)];
  const { anomalies } = lifeOf(facts);
  assert.deepEqual(
    anomalies.map(({ anomaly, disagreement }) => [anomaly, disagreement?.what]),
    [['witnesses-disagree', 'stop']],
  );
  assert.equal(anomalies[0]?.disagreement?.apartMs, 60_001);
  assert.deepEqual(
    anomalies[0]?.disagreement?.told.map(({ witness, at }) => [witness, at]),
    [
      ['event-log', T0 + 1_000],
      ['yarn', T0 + 61_001],
    ],
  );
  assert.deepEqual(lifeOf(facts, { ...RULE, toleranceMs: 60_001 }).anomalies, []);
});

test('clocks up to five minutes apart make no negative and no doubled slice', () => {
  const witness = fc.constantFrom<Witness>('agent', 'event-log', 'yarn');
  const skews = fc.record({
    agent: fc.integer({ min: -MINUTES_5, max: MINUTES_5 }),
    'event-log': fc.integer({ min: -MINUTES_5, max: MINUTES_5 }),
    yarn: fc.integer({ min: -MINUTES_5, max: MINUTES_5 }),
  });
  const length = fc.integer({ min: 1, max: 20 * MINUTE_MS });
  fc.assert(
    fc.property(skews, length, fc.uniqueArray(witness, { minLength: 1 }), (skew, ms, seers) => {
      const offset = (one: Witness): number => skew[one as keyof typeof skew];
      const facts = seers.flatMap((one) => seenBy(one, T0 + offset(one), T0 + ms + offset(one)));
      const life = lifeOf(facts).life;
      assert.ok(life !== undefined);
      const charged = life.intervals.reduce((sum, { start, end }) => {
        assert.ok(end > start, 'a slice has length');
        return sum + end - start;
      }, 0);
      for (const [index, { start }] of life.intervals.entries()) {
        if (index > 0) assert.equal(start, life.intervals[index - 1]?.end, 'joined, not doubled');
      }
      assert.ok(
        charged >= ms - RULE.toleranceMs && charged <= ms + 2 * RULE.toleranceMs,
        `${charged} of ${ms} ms: no clock adds more than the tolerance at either end`,
      );
    }),
    { numRuns: 500 },
  );
});
