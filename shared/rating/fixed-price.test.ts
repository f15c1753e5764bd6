import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SMALL, T0 } from '../../test/support/fact-builders.ts';
import type { PriceEpoch } from '../contracts/charge.ts';
import { HOUR_MS } from '../values/instant.ts';
import { DEFAULT_RATE_CARD } from '../values/rate-card.ts';
import { Tariff } from './tariff.ts';

/** 2 cores and 4 GiB for an hour at the base price. */
const PER_HOUR = 2_200_000n * 3_600n;

const surge: PriceEpoch = {
  id: 'e1',
  pool: 'default',
  step: 2_000,
  start: T0 - HOUR_MS,
  end: undefined,
  ruleVersion: 'v',
  reason: 'load',
  inputs: '{}',
};
const next = { ...DEFAULT_RATE_CARD, id: 'next' };
const tariff = new Tariff([
  { card: DEFAULT_RATE_CARD, validFrom: T0, fixedSteps: new Map([['etl', 900]]) },
  { card: next, validFrom: T0 + HOUR_MS },
]);
const twoHours = { start: T0, end: T0 + 2 * HOUR_MS, resources: SMALL };

test('a project whose price the card fixes pays that, for as long as the card holds', () => {
  const lines = tariff.rate([twoHours], [surge], { project: 'etl' });
  assert.deepEqual(
    lines.map(({ step, amount, rateCard }) => [step, amount, rateCard]),
    [
      [900, (PER_HOUR * 9n) / 10n, 'default'],
      [2_000, PER_HOUR * 2n, 'next'],
    ],
  );
  assert.equal(tariff.fixedStepAt(T0, 'etl'), 900);
  assert.equal(tariff.fixedStepAt(T0 + HOUR_MS, 'etl'), undefined);
});

test('other projects pay what load asks for', () => {
  const steps = tariff.rate([twoHours], [surge], { project: 'ads' }).map(({ step }) => step);
  assert.deepEqual(steps, [2_000, 2_000]);
  assert.equal(tariff.fixedStepAt(T0, 'ads'), undefined);
});

test('a price is fixed too where no pool has one', () => {
  const steps = tariff.rate([twoHours], [], { project: 'etl' }).map(({ step }) => step);
  assert.deepEqual(steps, [900, 1_000]);
});
