import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_QUANTITY, type PriceEpoch } from '../contracts/charge.ts';
import { HOUR_MS } from '../values/instant.ts';
import { DEFAULT_RATE_CARD } from '../values/rate-card.ts';
import {
  clipIntervals,
  cutAtEpochs,
  quantityOf,
  type ResourceInterval,
  rateIntervals,
  rateQuantity,
} from './rate-interval.ts';

const T0 = Date.UTC(2026, 10, 21, 9);
const SMALL = { millicores: 2_000, memoryMib: 4_096, gpus: 0 };

function epoch(start: number, step: number, end?: number): PriceEpoch {
  const words = { id: `${start}`, pool: 'default', ruleVersion: 'v', reason: '', inputs: '{}' };
  return { ...words, start, end, step };
}

const epochLists = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: HOUR_MS }), step: fc.nat(40) }), {
    maxLength: 6,
  })
  .map((list) => {
    let at = T0 - HOUR_MS;
    return list.map(({ gap, step }) => {
      at += gap;
      return epoch(at, 800 + step * 50);
    });
  });

const intervalLists = fc
  .array(
    fc.record({
      gap: fc.nat(HOUR_MS),
      ms: fc.nat(3 * HOUR_MS),
      millicores: fc.nat(16_000),
      memoryMib: fc.nat(65_536),
      gpus: fc.nat(2),
    }),
    { maxLength: 5 },
  )
  .map((list) => {
    let at = T0;
    return list.map(({ gap, ms, ...resources }): ResourceInterval => {
      const start = at + gap;
      at = start + ms;
      return { start, end: at, resources };
    });
  });

test('one core with one GiB costs a thousandth of a credit a second', () => {
  const unit = { millicores: 1_000, memoryMib: 1_024, gpus: 0 };
  const quantity = quantityOf({ start: T0, end: T0 + 1_000, resources: unit });
  assert.equal(rateQuantity(quantity, 1_000, DEFAULT_RATE_CARD), 1_000_000n);
  assert.equal(rateQuantity(quantity, 1_150, DEFAULT_RATE_CARD), 1_150_000n);
  const gpu = { ...NO_QUANTITY, gpuMs: 1_000n };
  assert.equal(rateQuantity(gpu, 1_000, DEFAULT_RATE_CARD), 20_000_000n);
});

test('half a nano-credit is rounded to the even one', () => {
  const card = { id: 'x', coreSecond: 1n, gibSecond: 0n, gpuSecond: 0n };
  const halves = [500_000n, 1_500_000n, 2_500_000n];
  assert.deepEqual(
    halves.map((millicoreMs) => rateQuantity({ ...NO_QUANTITY, millicoreMs }, 1_000, card)),
    [0n, 2n, 2n],
  );
});

test('an interval is cut at hours and where the price changes', () => {
  const epochs = [epoch(T0, 1_000), epoch(T0 + 90 * 60_000, 1_050)];
  const lines = rateIntervals(
    [{ start: T0 + 30 * 60_000, end: T0 + 2 * HOUR_MS, resources: SMALL }],
    epochs,
    DEFAULT_RATE_CARD,
  );
  assert.deepEqual(
    lines.map(({ hour, step, quantity }) => [(hour - T0) / HOUR_MS, step, quantity.containerMs]),
    [
      [0, 1_000, 1_800_000n],
      [1, 1_000, 1_800_000n],
      [1, 1_050, 1_800_000n],
    ],
  );
});

test('time that no epoch covers has the base price', () => {
  const pieces = cutAtEpochs({ start: T0, end: T0 + 100 }, [
    epoch(T0 + 10, 1_200, T0 + 20),
    epoch(T0 + 50, 1_400),
  ]);
  assert.deepEqual(
    pieces.map(({ start, end, step }) => [start - T0, end - T0, step]),
    [
      [0, 10, 1_000],
      [10, 20, 1_200],
      [20, 50, 1_000],
      [50, 100, 1_400],
    ],
  );
});

test('the lines hold every millisecond of the intervals, once', () => {
  fc.assert(
    fc.property(intervalLists, epochLists, (intervals, epochs) => {
      const lines = rateIntervals(intervals, epochs, DEFAULT_RATE_CARD);
      for (const member of ['containerMs', 'millicoreMs', 'mibMs', 'gpuMs'] as const) {
        const whole = intervals.reduce((sum, one) => sum + quantityOf(one)[member], 0n);
        const parts = lines.reduce((sum, { quantity }) => sum + quantity[member], 0n);
        assert.equal(parts, whole);
      }
      const keys = lines.map(({ hour, step }) => `${hour}/${step}`);
      assert.equal(new Set(keys).size, keys.length);
    }),
  );
});

test('neither the order of intervals nor cutting them changes a line', () => {
  fc.assert(
    fc.property(intervalLists, epochLists, fc.nat(6 * HOUR_MS), (intervals, epochs, cut) => {
      const whole = rateIntervals(intervals, epochs, DEFAULT_RATE_CARD);
      const at = T0 + cut;
      const pieces = [
        ...clipIntervals(intervals, { start: at, end: Number.POSITIVE_INFINITY }),
        ...clipIntervals(intervals, { start: Number.NEGATIVE_INFINITY, end: at }),
      ].toReversed();
      assert.deepEqual(rateIntervals(pieces, epochs, DEFAULT_RATE_CARD), whole);
    }),
  );
});

test('an inverted or empty interval costs nothing', () => {
  const inverted = { start: T0 + 5, end: T0, resources: SMALL };
  assert.deepEqual(rateIntervals([inverted], [], DEFAULT_RATE_CARD), []);
  assert.deepEqual(quantityOf(inverted), NO_QUANTITY);
});

test('by the dominant rule the dearest resource of a line alone is paid', () => {
  const dominant = { ...DEFAULT_RATE_CARD, rule: 'dominant' as const };
  const second = (resources: Partial<typeof SMALL>) =>
    rateQuantity(
      quantityOf({ start: 0, end: 1_000, resources: { ...SMALL, ...resources } }),
      1_000,
      dominant,
    );
  assert.equal(second({}), 1_800_000n, 'two cores');
  assert.equal(second({ memoryMib: 20 * 1_024 }), 2_000_000n, 'twenty GiB');
  assert.equal(second({ gpus: 1 }), 20_000_000n, 'a GPU');
});
