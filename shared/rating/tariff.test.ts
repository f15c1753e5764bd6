import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SMALL, T0 } from '../../test/support/fact-builders.ts';
import { HOUR_MS } from '../values/instant.ts';
import { DEFAULT_RATE_CARD } from '../values/rate-card.ts';
import { Tariff } from './tariff.ts';

const DEAR = { ...DEFAULT_RATE_CARD, id: 'dear', coreSecond: 1_800_000n };

const tariff = new Tariff([
  { card: DEAR, validFrom: T0 + HOUR_MS },
  { card: DEFAULT_RATE_CARD, validFrom: T0 },
]);

test('each hour is rated by the card that held then', () => {
  const interval = { start: T0 - 1_000, end: T0 + HOUR_MS + 1_000, resources: SMALL };
  const lines = tariff.rate([interval], [], { project: 'etl' });
  // 2 cores and 4 GiB for one second: 2·900,000 + 4·100,000, and 2·1,800,000 + 4·100,000.
  assert.deepEqual(
    lines.map(({ hour, amount, rateCard }) => [(hour - T0) / HOUR_MS, amount, rateCard]),
    [
      [-1, 2_200_000n, 'default'],
      [0, 2_200_000n * 3_600n, 'default'],
      [1, 4_000_000n, 'dear'],
    ],
  );
});

test('the earliest card also holds before it was written', () => {
  assert.equal(tariff.cardAt(0).id, 'default');
  assert.equal(tariff.cardAt(T0 + HOUR_MS - 1).id, 'default');
  assert.equal(tariff.cardAt(T0 + HOUR_MS).id, 'dear');
});
