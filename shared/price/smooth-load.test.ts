import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadFact, T0 } from '../../test/support/fact-builders.ts';
import { DEFAULT_PRICE_RULE } from './price-rule.ts';
import { NO_LOAD, poolShare, smoothLoad } from './smooth-load.ts';

const RULE = DEFAULT_PRICE_RULE;
const TICK_MS = 10_000;

const samplesOf = (shares: readonly number[], from = T0) =>
  shares.map((share, i) => loadFact(from + i * TICK_MS, share));

function smoothed(shares: readonly number[]): number {
  return smoothLoad(NO_LOAD, samplesOf(shares), RULE).load;
}

test('load rises by a tenth of the difference in 10 s, and falls by three hundredths', () => {
  assert.ok(Math.abs(smoothed([1]) - 0.1) < 1e-12);
  assert.ok(Math.abs(smoothed([1, 1]) - 0.19) < 1e-12);
  assert.ok(Math.abs(smoothed([1, 0]) - 0.097) < 1e-12);
});

test('sampling more often changes nothing', () => {
  const every10 = [0, 10, 20, 30].map((s) => loadFact(T0 + s * 1_000, 0.9));
  const every5 = [0, 5, 10, 15, 20, 25, 30].map((s) => loadFact(T0 + s * 1_000, 0.9));
  const a = smoothLoad(NO_LOAD, every10, RULE).load;
  const b = smoothLoad(NO_LOAD, every5, RULE).load;
  assert.ok(Math.abs(a - b) < 1e-12, `${a} ${b}`);
});

test('waiting demand counts with what runs', () => {
  const pending = { millicores: 20_000, memoryMib: 0, gpus: 0 };
  const ticks = Array.from({ length: 13 }, (_, i) => loadFact(T0 + i * TICK_MS, 0.5, { pending }));
  const waiting = smoothLoad(NO_LOAD, ticks, RULE);
  assert.equal(poolShare(Object.values(waiting.clusters)), 0.7);
});

test('the resource in shortest supply decides', () => {
  const allocated = { millicores: 10_000, memoryMib: 300_000, gpus: 0 };
  const { clusters } = smoothLoad(NO_LOAD, [loadFact(T0, 0, { allocated })], RULE);
  assert.equal(poolShare(Object.values(clusters)), 0.75);
});

test('trap: GPU pending not counted', () => {
  const capacity = { millicores: 100_000, memoryMib: 400_000, gpus: 10 };
  const allocated = { millicores: 1_000, memoryMib: 1_000, gpus: 6 };
  const pending = { millicores: 0, memoryMib: 0, gpus: 2 };
  const ticks = Array.from({ length: 13 }, (_, i) =>
    loadFact(T0 + i * TICK_MS, 0, { allocated, pending, capacity }),
  );
  const { clusters } = smoothLoad(NO_LOAD, ticks, RULE);
  assert.equal(poolShare(Object.values(clusters)), 0.8);
});

test('capacity that an autoscaler may still add counts as there', () => {
  const small = { millicores: 10_000, memoryMib: 0, gpus: 0 };
  const grown = { millicores: 40_000, memoryMib: 0, gpus: 0 };
  const share = (more: Parameters<typeof loadFact>[2], rule = RULE): number => {
    const full = loadFact(T0, 0.1, { capacity: small, ...more });
    return poolShare(Object.values(smoothLoad(NO_LOAD, [full], rule).clusters));
  };
  assert.equal(share({}), 1);
  assert.equal(share({ capacityMax: grown }), 0.25);
  assert.equal(share({}, { ...RULE, capacityMax: { 'yarn-1': grown } }), 0.25);
  assert.equal(share({}, { ...RULE, capacityMax: { 'yarn-2': grown } }), 1);
  // Scaled down to nothing it is an empty cluster, not a manager that is starting up.
  const capacity = { millicores: 0, memoryMib: 0, gpus: 0 };
  const gone = loadFact(T0, 0, { capacity });
  const rule = { ...RULE, capacityMax: { 'yarn-1': grown } };
  assert.deepEqual(Object.keys(smoothLoad(NO_LOAD, [gone], rule).clusters), ['yarn-1']);
});

test('what load had come to counts as the knee at most once it was lost', () => {
  const lost = [...samplesOf(Array(60).fill(1)), loadFact(T0 + 60 * TICK_MS + RULE.lostMs, 0.6)];
  assert.equal(smoothLoad(NO_LOAD, lost, RULE).load, RULE.knee);
});

test('clusters of a pool count by their size', () => {
  const small = loadFact(T0 + 1, 0, {
    cluster: 'yarn-2',
    allocated: { millicores: 10_000, memoryMib: 0, gpus: 0 },
    capacity: { millicores: 10_000, memoryMib: 1, gpus: 0 },
  });
  const { clusters } = smoothLoad(NO_LOAD, [loadFact(T0, 0), small], RULE);
  assert.ok(Math.abs(poolShare(Object.values(clusters)) - 1 / 11) < 1e-12);
});

test('a manager without capacity, or with unknown numbers, says nothing', () => {
  const none = { millicores: 0, memoryMib: 0, gpus: 0 };
  const unknown = { millicores: -1, memoryMib: -1, gpus: 0 };
  const samples = [
    loadFact(T0, 0.9, { capacity: none }),
    loadFact(T0 + 1, 0.9, { allocated: unknown }),
  ];
  assert.deepEqual(smoothLoad(NO_LOAD, samples, RULE), NO_LOAD);
});

test('a gap is no evidence: one sample after it weighs no more than a minute', () => {
  const day = smoothLoad(NO_LOAD, [loadFact(T0, 0), loadFact(T0 + 86_400_000, 1)], RULE);
  const minute = smoothLoad(NO_LOAD, [loadFact(T0, 0), loadFact(T0 + 60_000, 1)], RULE);
  assert.equal(day.load, minute.load);
});

test('folding in parts is folding at once, to the bit, and through JSON', () => {
  const shares = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 30 });
  fc.assert(
    fc.property(shares, fc.nat(30), (list, cut) => {
      const samples = samplesOf(list);
      const whole = smoothLoad(NO_LOAD, samples.toReversed(), RULE);
      const first = smoothLoad(NO_LOAD, samples.slice(0, cut), RULE);
      const restored = JSON.parse(JSON.stringify(first)) as typeof first;
      assert.deepEqual(smoothLoad(restored, samples.slice(cut), RULE), whole);
    }),
  );
});

test('load does not rise towards what a silent cluster was like, and falls all the same', () => {
  const busy = loadFact(T0, 2, { cluster: 'busy' });
  const after = (ticks: number, share: number) => {
    const others = Array.from({ length: ticks }, (_, i) => loadFact(T0 + i * TICK_MS, share));
    return smoothLoad({ ...NO_LOAD, load: 0.7 }, [busy, ...others], RULE).load;
  };
  // Both together are at 1.2 of their capacity, but for all but a minute one of them is an old tale.
  assert.ok(after(7, 0.4) > 0.9 && after(7, 0.4) < 1.2);
  assert.equal(after(40, 0.4), after(7, 0.4));
  const fallen = smoothLoad(
    { ...NO_LOAD, load: 1.5 },
    [busy, ...samplesOf(Array(40).fill(0))],
    RULE,
  );
  assert.ok(fallen.load < 1.3, `${fallen.load}`);
});
