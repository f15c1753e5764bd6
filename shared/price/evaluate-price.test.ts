import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadFact, T0 } from '../../test/support/fact-builders.ts';
import type { PriceEpoch } from '../contracts/charge.ts';
import { MINUTE_MS } from '../values/instant.ts';
import { evaluatePrice, NO_PRICE, type PriceState, stateOfEpoch } from './evaluate-price.ts';
import { DEFAULT_PRICE_RULE, LADDER_STEP, type PriceRule } from './price-rule.ts';

const TICKS_PER_MINUTE = 6;

/** One share for each 10 s; undefined: no load is known then. */
type Shares = readonly (number | undefined)[];

interface Run {
  readonly epochs: { readonly epoch: PriceEpoch; readonly announcedAt: number }[];
  readonly state: PriceState;
}

/** Evaluates each minute; `restartAt` loses the state there and starts again from the last epoch. */
function run(shares: Shares, rule: PriceRule = DEFAULT_PRICE_RULE, restartAt = -1): Run {
  const samples = shares.flatMap((share, i) =>
    share === undefined ? [] : [loadFact(T0 + i * 10_000, share)],
  );
  const epochs: Run['epochs'] = [];
  let state: PriceState = NO_PRICE;
  for (let minute = 1; minute * TICKS_PER_MINUTE <= shares.length; minute += 1) {
    if (minute === restartAt) {
      const last = epochs.at(-1)?.epoch;
      state = (last === undefined ? undefined : stateOfEpoch(last)) ?? NO_PRICE;
    }
    const now = T0 + minute * MINUTE_MS + 2_345;
    const since = state.load.at;
    const known = samples.filter(({ at }) => at > since && at <= now);
    const evaluated = evaluatePrice('default', state, { samples: known, now }, rule);
    state = evaluated.state;
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
        assert.ok(epoch.start - before.start >= rule.holdMs);
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

test('stale load never raises, and lost load goes back to the base', () => {
  const raised = run(hours(1, 0.95)).epochs;
  const last = raised.at(-1)?.epoch;
  assert.ok(last !== undefined && last.step > 1_500);
  const silent = run([...hours(1, 0.95), ...hours(1, undefined)]).epochs.slice(raised.length);
  assert.deepEqual(
    silent.map(({ epoch }) => [epoch.step, epoch.reason]),
    [[1_000, 'stale']],
  );
  const lostAt = T0 + 60 * MINUTE_MS + 10 * MINUTE_MS;
  assert.ok(Math.abs((silent[0]?.epoch.start ?? 0) - lostAt) <= 3 * MINUTE_MS);
  // Ten samples short of what the price had reached: nothing lifts it at once when load comes back.
  const back = run([...hours(1, 0.95), ...hours(1, undefined), ...hours(1, 0.5)]).epochs;
  assert.equal(back.length, raised.length + 1);
});

test('a frozen price stays where it is', () => {
  const { epochs } = run(hours(2, 1), { ...DEFAULT_PRICE_RULE, frozen: true });
  assert.equal(epochs.length, 1);
});

test('an epoch explains itself: share, target, rule and state are in its inputs', () => {
  const epoch = run(hours(1, 0.8)).epochs.at(-1)?.epoch;
  const inputs = JSON.parse(epoch?.inputs ?? '{}') as Record<string, unknown>;
  assert.equal(inputs['share'], 0.8);
  assert.deepEqual(inputs['rule'], DEFAULT_PRICE_RULE);
  assert.ok(epoch !== undefined);
  assert.equal(stateOfEpoch({ ...epoch, ruleVersion: 'other' }), undefined);
});

test('thinking twice within a minute is thinking once', () => {
  const first = evaluatePrice('p', NO_PRICE, { samples: [], now: T0 }, DEFAULT_PRICE_RULE);
  const again = evaluatePrice(
    'p',
    first.state,
    { samples: [loadFact(T0, 2)], now: T0 + 59_999 },
    DEFAULT_PRICE_RULE,
  );
  assert.deepEqual(again, { state: first.state, epoch: undefined });
});
