import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SMALL, T0 } from '../../test/support/fact-builders.ts';
import { NO_QUANTITY } from '../contracts/charge.ts';
import { HOUR_MS, utcHour } from '../values/instant.ts';
import { DEFAULT_RATE_CARD } from '../values/rate-card.ts';
import { minimumLine } from './minimum-line.ts';
import { Tariff } from './tariff.ts';

const MINIMUM = 10_000_000_000n;
const tariff = new Tariff([
  { card: DEFAULT_RATE_CARD, validFrom: 0 },
  { card: { ...DEFAULT_RATE_CARD, id: 'floored', minimum: MINIMUM }, validFrom: T0 },
]);

test('use and minimum line come to the larger of both, whatever the length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 * HOUR_MS }), (ms) => {
      const life = { start: T0 + 7, end: T0 + 7 + ms };
      const lines = tariff.rate([{ ...life, resources: SMALL }], [], { project: 'etl' });
      const used = lines.reduce((sum, { amount }) => sum + amount, 0n);
      const line = minimumLine(life, lines, tariff);
      assert.equal(used + (line?.amount ?? 0n), used > MINIMUM ? used : MINIMUM);
      if (line === undefined) return;
      assert.deepEqual(line.quantity, NO_QUANTITY);
      assert.deepEqual([line.hour, line.step], [utcHour(life.end - 1), 1_000]);
    }),
  );
});

test('the card of its last moment decides; an end on the hour belongs to the hour before', () => {
  const at = (end: number) => minimumLine({ start: T0 - 9, end }, [], tariff);
  assert.equal(at(T0), undefined, 'the first card has no minimum');
  assert.deepEqual([at(T0 + 1)?.hour, at(T0 + 1)?.rateCard], [T0, 'floored']);
  assert.equal(at(T0 + HOUR_MS)?.hour, T0);
});

test('a container without length costs nothing', () => {
  assert.equal(minimumLine({ start: T0, end: T0 }, [], tariff), undefined);
});

test('what pays a part of the price pays that part of the minimum, and nothing at 0', () => {
  const of = (percent: number) => minimumLine({ start: T0, end: T0 + 1 }, [], tariff, percent);
  assert.deepEqual([of(50)?.amount, of(0)], [MINIMUM / 2n, undefined]);
});
