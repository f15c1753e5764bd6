import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { NANOCREDITS_PER_CREDIT } from '../../../shared/values/money.ts';
import { checkLimits } from './check-limits.ts';
import type { StartForecast } from './predict-start.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const credits = (amount: number): bigint => BigInt(amount) * NANOCREDITS_PER_CREDIT;

type Forecast = Parameters<typeof checkLimits>[0];

/** Costs 8 to 12 credits and runs 1 to 3 hours, at 1.20 X, which rises to 1.30 X. */
const forecast: Forecast = {
  ...{ now: NOW, step: 1_200, nowStep: 1_200, highestStep: 1_300, perHour: undefined },
  durationMs: { low: HOUR_MS, expected: 2 * HOUR_MS, high: 3 * HOUR_MS },
  cost: {
    ...{ low: credits(8), expected: credits(10), high: credits(12) },
    basis: 'history',
    range: 'quartiles',
  },
  start: undefined,
};

const none = { maxStep: undefined, maxCost: undefined, deadline: undefined };
const state = (wanted: Partial<Parameters<typeof checkLimits>[1]>, more: Partial<Forecast> = {}) =>
  checkLimits({ ...forecast, ...more }, { ...none, ...wanted }).map((one) => one.state);

test('no limit, nothing to say', () => {
  assert.deepEqual(state({}), []);
});

test('a multiplier: missed above it, at risk when it rises meanwhile, else met', () => {
  assert.deepEqual(state({ maxStep: 1_150 }), ['missed']);
  assert.deepEqual(state({ maxStep: 1_200 }), ['at-risk']);
  assert.deepEqual(state({ maxStep: 1_300 }), ['met']);
  assert.deepEqual(state({ maxStep: 1_200 }, { highestStep: 1_200 }), ['met']);
});

test('a cost: by what is expected and by what it may come to', () => {
  assert.deepEqual(state({ maxCost: credits(9) }), ['missed']);
  assert.deepEqual(state({ maxCost: credits(10) }), ['at-risk']);
  assert.deepEqual(state({ maxCost: credits(12) }), ['met']);
  assert.deepEqual(state({ maxCost: credits(12) }, { cost: undefined }), ['unknown']);
});

test('a deadline: from when it can start, by how long it runs', () => {
  assert.deepEqual(state({ deadline: NOW }), ['missed']);
  assert.deepEqual(state({ deadline: NOW + HOUR_MS }), ['missed']);
  assert.deepEqual(state({ deadline: NOW + 2 * HOUR_MS }), ['at-risk']);
  assert.deepEqual(state({ deadline: NOW + 3 * HOUR_MS }), ['met']);
  const deadline = NOW + 4 * HOUR_MS;
  assert.deepEqual(state({ deadline }, { durationMs: undefined }), ['unknown']);
  const unknown = { state: 'unknown', cases: 0 } as const;
  assert.deepEqual(state({ deadline }, { start: unknown }), ['unknown']);
  const announced = { state: 'announced', at: NOW + HOUR_MS } as const;
  assert.deepEqual(state({ deadline }, { start: announced }), ['met']);
  const predicted: StartForecast = {
    ...{ state: 'predicted', at: NOW + HOUR_MS, earliest: NOW, cases: 4, like: 'hour-of-week' },
    latest: undefined,
  };
  assert.deepEqual(state({ deadline }, { start: predicted }), ['at-risk']);
});
