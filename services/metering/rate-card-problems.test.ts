import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meteringConfig } from './config.ts';

const POOLS = [
  { id: 'cpu', clusters: ['*'] },
  { id: 'gpu', clusters: ['k8s-gpu'] },
];

function problems(input: object): string[] {
  const result = meteringConfig.safeParse({ pools: POOLS, ...input });
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('cards of pools and markets, with their dates, stand beside the general one', () => {
  const december = '2026-12-01T00:00:00Z';
  const cards = [
    { id: 'gpu', pool: 'gpu' },
    { id: 'gpu-12', pool: 'gpu', validFrom: december },
    { id: 'spot', market: 'spot' },
    { id: 'gpu-spot', pool: 'gpu', market: 'spot', minimum: '0.5', rule: 'dominant' },
  ];
  const markets = [{ cluster: 'emr', market: 'spot' }];
  assert.deepEqual(problems({ rateCards: cards, markets }), []);
});

test('cards that contradict each other, absurd rates and unknown pools are all told at once', () => {
  const found = problems({
    rateCard: { id: 'base', coreSecond: '-1', currency: { code: 'XYZ', perCredit: '0' } },
    earlierRateCards: [{ id: 'old', coreSecond: '0.0001' }],
    rateCards: [
      { id: 'base', pool: 'gpu', gpuSecond: '11' },
      { id: 'again', pool: 'gpu', minimum: '1000001' },
      { id: 'lost', pool: 'tpu' },
    ],
  });
  for (const said of [
    /^rateCard\.coreSecond: must be credits from 0 to 1/,
    /^rateCard\.currency\.code: is no currency of ISO 4217/,
    /^rateCard\.currency\.perCredit: must be above 0/,
    /^earlierRateCards\.0\.validFrom: rateCard holds from then on for the same pool and market/,
    /^rateCards\.0\.id: rateCard has the id "base" too/,
    /^rateCards\.0\.gpuSecond: must be credits from 0 to 10,/,
    /^rateCards\.1\.validFrom: rateCards\.0 holds from then on/,
    /^rateCards\.1\.minimum: must be credits from 0 to 1000000/,
    /^rateCards\.2\.pool: is no pool; there are: cpu, gpu/,
  ]) {
    assert.equal(found.filter((line) => said.test(line)).length, 1, `${said}\n${found.join('\n')}`);
  }
  assert.equal(found.length, 9, found.join('\n'));
});

test('a share on demand names both numbers, of a spot cluster, by one rule', () => {
  const found = problems({
    markets: [
      { cluster: 'a', market: 'spot', onDemandNodes: 2 },
      { cluster: 'b', market: 'on-demand', onDemandNodes: 1, nodes: 3 },
      { cluster: 'c', market: 'spot', onDemandNodes: 4, nodes: 3 },
      { cluster: 'c', market: 'spot' },
    ],
    rateCards: [{ id: 'spot', market: 'spot', rule: 'dominant' }],
  });
  assert.deepEqual(
    found.map((line) => line.split(': ')[0]),
    [
      'markets.0.nodes',
      'markets.1.onDemandNodes',
      'markets.2.onDemandNodes',
      'markets.3.cluster',
      'rateCards.0.rule',
    ],
  );
});

test('what a credit costs changes with a month alone', () => {
  const euros = { code: 'EUR', perCredit: '0.1' };
  const from = (validFrom: string) =>
    problems({
      earlierRateCards: [{ id: 'old', currency: euros }],
      rateCard: { id: 'new', validFrom, currency: { ...euros, perCredit: '0.12' } },
    });
  assert.deepEqual(from('2026-12-01T00:00:00Z'), []);
  assert.match(`${from('2026-12-01T01:00:00Z')}`, /^rateCard.currency: changes in the middle of/);
});
