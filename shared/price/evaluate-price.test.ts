import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadFact, T0 } from '../../test/support/fact-builders.ts';
import type { PriceEpoch, PriceEvaluation } from '../contracts/charge.ts';
import { MINUTE_MS } from '../values/instant.ts';
import { evaluatePrice, NO_PRICE, type PriceState, priceInputs } from './evaluate-price.ts';
import { DEFAULT_PRICE_RULE, LADDER_STEP, type PriceRule } from './price-rule.ts';

const TICKS_PER_MINUTE = 6;

/** One share for each 10 s; undefined: no load is known then. */
type Shares = readonly (number | undefined)[];

interface Run {
  readonly epochs: { readonly epoch: PriceEpoch; readonly announcedAt: number }[];
  readonly state: PriceState;
}

/** Evaluates each minute; `restartAt` loses the state there and goes on from what was kept. */
function run(shares: Shares, rule: PriceRule = DEFAULT_PRICE_RULE, restartAt = -1): Run {
  const samples = shares.flatMap((share, i) =>
    share === undefined ? [] : [loadFact(T0 + i * 10_000, share)],
  );
  const epochs: Run['epochs'] = [];
  let state: PriceState = NO_PRICE;
  let kept: PriceEvaluation | undefined;
  for (let minute = 1; minute * TICKS_PER_MINUTE <= shares.length; minute += 1) {
    if (minute === restartAt) {
      state = (kept === undefined ? undefined : priceInputs(kept)?.state) ?? NO_PRICE;
    }
    const now = T0 + minute * MINUTE_MS + 2_345;
    const since = state.load.at;
    const known = samples.filter(({ at }) => at > since && at <= now);
    const evaluated = evaluatePrice('default', state, { samples: known, now }, rule);
    state = evaluated.state;
    kept = evaluated.evaluation;
    if (evaluated.epoch !== undefined) epochs.push({ epoch: evaluated.epoch, announcedAt: now });
  }
  return { epochs, state };
}

const hours = (count: number, share: number | undefined): Shares =>
  Array.from({ length: count * 360 }, () => share);

const shares: fc.Arbitrary<Shares> = fc
  .array(
    fc.record({
      share: fc.option(fc.double({ min: 0, max: 3, noNaN: true }), { nil: undefined }),
      ticks: fc.integer({ min: 1, max: 120 }),
    }),
    { maxLength: 12 },
  )
  .map((parts) => parts.flatMap(({ share, ticks }) => Array<typeof share>(ticks).fill(share)));

test('the first price is the base price, announced ahead', () => {
  const { epochs } = run(hours(1, 0.3));
  assert.equal(epochs.length, 1);
  assert.deepEqual([epochs[0]?.epoch.step, epochs[0]?.epoch.reason], [1_000, 'first']);
});

test('a full cluster reaches the cap in steps of at most 0.10, five minutes apart', () => {
  const { epochs } = run(hours(3, 1));
  const steps = epochs.map(({ epoch }) => epoch.step);
  assert.equal(steps.at(-1), 3_000 - (3_000 % LADDER_STEP));
  assert.equal(steps[1], 1_100);
  for (const [i, { epoch }] of epochs.entries()) {
    const before = epochs[i - 1]?.epoch;
    if (before !== undefined) assert.ok(epoch.start - before.start >= 5 * MINUTE_MS);
  }
});

test('every epoch is on the ladder, within cap, step limit, hold and notice', () => {
  fc.assert(
    fc.property(shares, (list) => {
      const rule = { ...DEFAULT_PRICE_RULE, cap: 1_750, floor: 850 };
      const { epochs } = run(list, rule);
      for (const [i, { epoch, announcedAt }] of epochs.entries()) {
        assert.equal(epoch.step % LADDER_STEP, 0);
        assert.ok(epoch.step >= 850 && epoch.step <= 1_750);
        assert.ok(epoch.start - announcedAt >= rule.noticeMs);
        assert.equal(epoch.start % MINUTE_MS, 0);
        const before = epochs[i - 1]?.epoch;
        if (before === undefined) continue;
        const between = epoch.start - before.start;
        assert.ok(between >= (epoch.reason === 'stale' ? MINUTE_MS : rule.holdMs));
        const move = Math.abs(epoch.step - before.step);
        assert.ok(move > 0 && (move <= rule.moveMax || epoch.reason === 'stale'));
      }
    }),
  );
});

test('a restart goes on as if nothing had happened, to the bit', () => {
  fc.assert(
    fc.property(shares, fc.integer({ min: 1, max: 200 }), (list, restartAt) => {
      const whole = run(list);
      const restarted = run(list, DEFAULT_PRICE_RULE, restartAt);
      assert.deepEqual(restarted.epochs, whole.epochs);
      assert.deepEqual(restarted.state, whole.state);
    }),
  );
});

test('a price that hovers around a rung does not flap', () => {
  const hovering = Array.from({ length: 2_160 }, (_, i) => (i % 2 === 0 ? 0.6 : 0.63));
  assert.ok(run(hovering).epochs.length <= 4);
});

test('lost load steps the price down to the base, a step at a time', () => {
  const raised = run(hours(1, 0.95)).epochs;
  const last = raised.at(-1)?.epoch;
  assert.ok(last !== undefined && last.step > 1_500);
  const silent = run([...hours(1, 0.95), ...hours(1, undefined)]).epochs.slice(raised.length);
  assert.deepEqual(new Set(silent.map(({ epoch }) => epoch.reason)), new Set(['stale']));
  const steps = [last, ...silent.map(({ epoch }) => epoch)].map(({ step }) => step);
  assert.deepEqual(
    steps,
    steps.map((_, i) => Math.max(1_000, last.step - i * 100)),
  );
  assert.equal(steps.at(-1), 1_000);
  const lostAt = T0 + 60 * MINUTE_MS + 10 * MINUTE_MS;
  assert.ok(Math.abs((silent[0]?.epoch.start ?? 0) - lostAt) <= 3 * MINUTE_MS);
  // What the load had come to before doesn't lift the price when it is back, lower.
  const back = run([...hours(1, 0.95), ...hours(1, undefined), ...hours(1, 0.5)]).epochs;
  assert.equal(back.length, raised.length + silent.length);
});

test('lost load never raises: a discounted price stays', () => {
  const rule = { ...DEFAULT_PRICE_RULE, floor: 800 };
  const { epochs } = run([...hours(2, 0), ...hours(2, undefined)], rule);
  assert.equal(epochs.at(-1)?.epoch.step, 800);
});

test('an empty pool is discounted off peak, and full price comes back with load', () => {
  const rule = { ...DEFAULT_PRICE_RULE, floor: 800 };
  const steps = run([...hours(2, 0.02), ...hours(2, 0.5)], rule).epochs.map(
    ({ epoch }) => epoch.step,
  );
  assert.deepEqual(steps, [1_000, 900, 800, 850, 950, 1_000]);
});

test('load that is older than a minute raises nothing, also of one cluster among others', () => {
  const minutes = 30;
  const at = (tick: number) => T0 + tick * 10_000;
  const ticks = Array.from({ length: minutes * TICKS_PER_MINUTE }, (_, i) => i);
  const quiet = ticks.map((tick) => loadFact(at(tick), 0.3, { cluster: 'quiet' }));
  const pricesWith = (silentFrom: number): number[] => {
    const busy = ticks
      .filter((tick) => tick < silentFrom)
      .map((tick) => loadFact(at(tick), 1.8, { cluster: 'busy' }));
    let state: PriceState = NO_PRICE;
    const steps: number[] = [];
    for (let minute = 1; minute <= minutes; minute += 1) {
      const samples = [...quiet, ...busy].filter((one) => one.at > state.load.at);
      const now = T0 + minute * MINUTE_MS;
      const evaluated = evaluatePrice('p', state, { samples, now }, DEFAULT_PRICE_RULE);
      state = evaluated.state;
      if (evaluated.epoch !== undefined) steps.push(evaluated.epoch.step);
      if (minute === 8 && silentFrom < ticks.length) {
        const { stays } = JSON.parse(evaluated.evaluation?.inputs ?? '{}') as { stays: string };
        assert.equal(stays, 'silent');
      }
    }
    return steps;
  };
  assert.ok((pricesWith(ticks.length).at(-1) ?? 0) > 1_300);
  // Heard of for five minutes, which would have been enough for a rise.
  assert.deepEqual(pricesWith(5 * TICKS_PER_MINUTE), [1_000]);
});

test('a frozen price stays where it is', () => {
  const { epochs } = run(hours(2, 1), { ...DEFAULT_PRICE_RULE, frozen: true });
  assert.equal(epochs.length, 1);
});

test('an epoch explains itself: share, target, sums, rule and state are in its inputs', () => {
  const epoch = run(hours(1, 0.8)).epochs.at(-1)?.epoch;
  assert.ok(epoch !== undefined);
  const inputs = priceInputs(epoch);
  assert.equal(inputs?.share, 0.8);
  assert.equal(inputs.allocated.millicores, 80_000);
  assert.equal(inputs.capacity.millicores, 100_000);
  assert.deepEqual(inputs.rule, DEFAULT_PRICE_RULE);
  assert.deepEqual(inputs.state.last, { step: epoch.step, start: epoch.start });
  assert.equal(priceInputs({ ...epoch, ruleVersion: 'other' }), undefined);
});

test('an evaluation that moves nothing says why', () => {
  const staysAfter = (list: Shares, rule = DEFAULT_PRICE_RULE): unknown => {
    const { state } = run(list, rule);
    const now = state.evaluatedAt + MINUTE_MS;
    const { evaluation } = evaluatePrice('p', state, { samples: [], now }, rule);
    return evaluation === undefined ? undefined : priceInputs(evaluation)?.stays;
  };
  assert.equal(staysAfter(hours(0.1, 0.3)), 'steady');
  assert.equal(staysAfter(hours(1, 0.3), { ...DEFAULT_PRICE_RULE, frozen: true }), 'frozen');
  assert.equal(staysAfter(hours(1 / 60, 0.3)), 'announced');
  assert.equal(staysAfter([...hours(1, 0.3), ...hours(1, undefined)]), 'lost');
});

test('thinking twice within a minute is thinking once', () => {
  const first = evaluatePrice('p', NO_PRICE, { samples: [], now: T0 }, DEFAULT_PRICE_RULE);
  const again = evaluatePrice(
    'p',
    first.state,
    { samples: [loadFact(T0, 2)], now: T0 + 59_999 },
    DEFAULT_PRICE_RULE,
  );
  assert.deepEqual(again, { state: first.state, epoch: undefined, evaluation: undefined });
});
