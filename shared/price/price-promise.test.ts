import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PriceEpoch } from '../contracts/charge.ts';
import { cutAtEpochs } from '../rating/rate-interval.ts';
import type { ProjectId } from '../values/project-id.ts';
import { type PricePromise, promisedEpochs } from './price-promise.ts';

const ETL = 'etl' as ProjectId;

function epoch(start: number, step: number, end?: number): PriceEpoch {
  return {
    id: `${start}`,
    pool: 'cpu',
    step,
    start,
    end,
    ruleVersion: '1',
    reason: 'load',
    inputs: '',
  };
}

const promise: PricePromise = {
  id: 'q',
  project: ETL,
  pool: 'cpu',
  step: 1_100,
  start: 20,
  end: 40,
};
const payer = { project: ETL, pool: 'cpu' };

/** The step in force at each ms of 0 to 60, as rating reads it. */
function steps(epochs: readonly PriceEpoch[]): number[] {
  return cutAtEpochs({ start: 0, end: 60 }, epochs).flatMap(({ start, end, step }) =>
    Array.from({ length: end - start }, () => step),
  );
}

test('inside a promise the smaller of both steps holds, outside the price', () => {
  const epochs = [epoch(0, 1_050, 10), epoch(10, 1_200, 30), epoch(30, 1_000)];
  assert.deepEqual(
    promisedEpochs(epochs, promise, payer).map(({ start, end, step }) => [start, end, step]),
    [
      [Number.NEGATIVE_INFINITY, 0, 1_000],
      [0, 10, 1_050],
      [10, 20, 1_200],
      [20, 30, 1_100],
      [30, undefined, 1_000],
    ],
  );
});

test('a promise of another project or pool, or none, changes nothing', () => {
  const epochs = [epoch(0, 1_500)];
  for (const [given, pays] of [
    [undefined, payer],
    [promise, { ...payer, project: 'ml' as ProjectId }],
    [promise, { ...payer, pool: 'gpu' }],
    [promise, { ...payer, pool: undefined }],
  ] as const) {
    assert.equal(promisedEpochs(epochs, given, pays), epochs);
  }
});

test('a discount that was promised holds where no price is recorded, too', () => {
  const low = { ...promise, step: 800 };
  const under = steps(promisedEpochs([epoch(30, 1_200)], low, payer));
  const want = Array.from({ length: 60 }, (_, at) =>
    at >= 20 && at < 40 ? 800 : at < 30 ? 1_000 : 1_200,
  );
  assert.deepEqual(under, want);
});

test('at every instant it is the minimum of both, whatever was announced', () => {
  const epochs = fc
    .uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 8 })
    .chain((starts) =>
      fc.tuple(
        fc.constant(starts.sort((a, b) => a - b)),
        fc.array(fc.constantFrom(800, 950, 1_000, 1_100, 1_300), { minLength: 8, maxLength: 8 }),
        fc.boolean(),
      ),
    )
    .map(([starts, ladder, told]) =>
      starts.map((start, i) => epoch(start, ladder[i] ?? 1_000, told ? starts[i + 1] : undefined)),
    );
  const spans = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }));
  fc.assert(
    fc.property(epochs, spans, fc.constantFrom(800, 1_000, 1_100), (prices, [start, end], step) => {
      const own = steps(prices);
      const under = steps(promisedEpochs(prices, { ...promise, start, end, step }, payer));
      for (const [at, price] of own.entries()) {
        const inside = at >= start && at < end;
        assert.equal(under[at], inside ? Math.min(price, step) : price, `at ${at}`);
      }
    }),
  );
});
