import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS } from '../../../shared/values/instant.ts';
import { type PricePoint, predictStart } from './predict-start.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const WEEK_MS = 7 * DAY_MS;

/** Dear for so many hours from this time on, cheap after it. */
function dear(at: number, hours: number): PricePoint[] {
  return [
    { start: at, step: 1_500 },
    { start: at + hours * HOUR_MS, step: 1_000 },
  ];
}

/** Prices of the weeks before, oldest first; in each it was dear for this long at this hour. */
function weeks(...hours: readonly number[]): PricePoint[] {
  return hours
    .flatMap((one, index) => dear(NOW - (index + 1) * WEEK_MS - HOUR_MS, one + 1))
    .sort((a, b) => a.start - b.start);
}

const nowDear: PricePoint = { start: NOW - HOUR_MS, step: 1_500 };

test('a price that is low enough starts now; one that is announced, then', () => {
  assert.deepEqual(predictStart([], NOW, 1_000), { state: 'now', at: NOW });
  assert.deepEqual(predictStart([nowDear], NOW, 1_500), { state: 'now', at: NOW });
  const next = { start: NOW + HOUR_MS, step: 1_200 };
  const announced = predictStart([...weeks(1, 1, 1, 1), nowDear, next], NOW, 1_200);
  assert.deepEqual(announced, { state: 'announced', at: NOW + HOUR_MS });
});

test('the hour of the week tells: median of the weeks, with the shortest and the longest', () => {
  assert.deepEqual(predictStart([...weeks(2, 1, 5), nowDear], NOW, 1_200), {
    state: 'predicted',
    at: NOW + 2 * HOUR_MS,
    earliest: NOW + HOUR_MS,
    latest: NOW + 5 * HOUR_MS,
    cases: 3,
    like: 'hour-of-week',
  });
});

test('weeks in which it was cheap at this hour say nothing; then the hours of the days do', () => {
  const days = Array.from({ length: 6 }, (_, day) => dear(NOW - WEEK_MS - day * DAY_MS, 3));
  const points = [...days.reverse().flat(), nowDear];
  assert.deepEqual(predictStart(points, NOW, 1_200), {
    state: 'predicted',
    at: NOW + 3 * HOUR_MS,
    earliest: NOW + 3 * HOUR_MS,
    latest: NOW + 3 * HOUR_MS,
    cases: 6,
    like: 'hour-of-day',
  });
});

test("too little history, or a price that never came, can't be told", () => {
  assert.deepEqual(predictStart([nowDear], NOW, 1_200), { state: 'unknown', cases: 0 });
  assert.equal(predictStart([...weeks(2, 1), nowDear], NOW, 1_200).state, 'unknown');
  const always = [{ start: NOW - 5 * WEEK_MS, step: 1_500 }];
  assert.equal(predictStart(always, NOW, 1_200).state, 'unknown');
});

test('a week in which it took longer than a week leaves the end open', () => {
  const forecast = predictStart([...weeks(1, 1, 24 * 8, 1), nowDear], NOW, 1_200);
  assert.equal(forecast.state, 'predicted');
  assert.ok(forecast.state === 'predicted' && forecast.latest !== undefined);
  const longest = predictStart([...weeks(1, 1, 24 * 8), nowDear], NOW, 1_200);
  assert.ok(longest.state === 'predicted' && longest.latest === undefined);
});

test('whatever the prices were: never before now, and in order', () => {
  const points = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 5 * 7 * 24 }), fc.constantFrom(900, 1_100, 1_300)))
    .map((list) =>
      list
        .map(([hours, step]) => ({ start: NOW - hours * HOUR_MS, step }))
        .sort((a, b) => a.start - b.start),
    );
  fc.assert(
    fc.property(points, fc.constantFrom(900, 1_000, 1_200), (prices, max) => {
      const forecast = predictStart(prices, NOW, max);
      if (forecast.state === 'unknown') return;
      assert.ok(forecast.at >= NOW);
      if (forecast.state !== 'predicted') return;
      const { earliest, at, latest = Number.POSITIVE_INFINITY } = forecast;
      assert.ok(NOW < earliest && earliest <= at && at <= latest);
    }),
  );
});
