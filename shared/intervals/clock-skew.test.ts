import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerFact, T0 } from '../../test/support/fact-builders.ts';
import type { Witness } from '../contracts/container-fact.ts';
import { clockPairs, estimateClockSkew } from './clock-skew.ts';
import { DEFAULT_TRUST } from './witness-trust.ts';

const rule = { trust: DEFAULT_TRUST };

function pairsOf(skews: readonly number[], witness: Witness = 'yarn') {
  return skews.flatMap((skew, i) =>
    clockPairs(
      [
        containerFact('container-started', T0 + i),
        containerFact('container-started', T0 + i + skew, { witness }),
        containerFact('container-stopped', T0 + i + 900),
      ],
      rule,
    ),
  );
}

test('a pair holds the difference of starts and of stops against the most trusted witness', () => {
  const facts = [
    containerFact('container-started', T0),
    containerFact('container-started', T0 + 70, { witness: 'agent', host: 'h1' }),
    containerFact('container-stopped', T0 + 500, { witness: 'agent' }),
    containerFact('container-stopped', T0 + 900),
  ];
  assert.deepEqual(clockPairs(facts, rule), [
    {
      witness: 'event-log',
      reference: 'agent',
      host: '',
      at: T0 + 70,
      startMs: -70,
      stopMs: 400,
    },
  ]);
  assert.deepEqual(clockPairs(facts.slice(0, 1), rule), []);
});

test('a stop that was only concluded measures no clock', () => {
  const facts = [
    containerFact('container-stopped', T0 + 500),
    containerFact('container-stopped', T0 + 900, { witness: 'yarn', reason: 'inferred: gone' }),
  ];
  assert.deepEqual(clockPairs(facts, rule), []);
});

test('the skew is the median: outliers move it nowhere, and few differences tell nothing', () => {
  const [skew] = estimateClockSkew(pairsOf([290, 300, 310, 300, 1e9, -1e9, 305]));
  assert.deepEqual(
    [skew?.witness, skew?.reference, skew?.offsetMs, skew?.differences],
    ['yarn', 'event-log', 300, 7],
  );
  assert.equal(skew?.spreadMs, 10);
  const [few] = estimateClockSkew(pairsOf([300, 300, 300, 300]));
  assert.deepEqual([few?.offsetMs, few?.differences], [undefined, 4]);
});

test('each witness, and of the agent each host, has a skew of its own', () => {
  const skews = estimateClockSkew([...pairsOf([1, 1, 1, 1, 1]), ...pairsOf([2], 'standalone')]);
  assert.deepEqual(
    skews.map(({ witness, offsetMs }) => [witness, offsetMs]),
    [
      ['standalone', undefined],
      ['yarn', 1],
    ],
  );
});
