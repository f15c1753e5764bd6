import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS } from '../values/instant.ts';
import { suggestQuota, type UsedHour } from './suggest-quota.ts';

const UNTIL = Date.UTC(2026, 10, 23);
const window = (days: number) => ({ from: UNTIL - days * DAY_MS, until: UNTIL });

/** The same use in each hour of the last days. */
function steady(days: number, amount: bigint, cores = 2n): UsedHour[] {
  return Array.from({ length: days * 24 }, (_, index) => ({
    hour: UNTIL - (index + 1) * HOUR_MS,
    amount,
    millicoreMs: cores * 1_000n * BigInt(HOUR_MS),
  }));
}

test('steady use suggests itself, with headroom, in round numbers', () => {
  const suggested = suggestQuota(steady(84, 1_000n), window(84), 20);
  assert.deepEqual(suggested, {
    hours: 84 * 24,
    weeks: 12,
    growth: 1_000,
    // 730.5 h × 1,000 × 1.2 = 876,600, to two digits, up.
    monthlyBudget: 880_000n,
    millicores: 3_000,
    reservationPerHour: 1_200n,
  });
  assert.equal(suggestQuota(steady(84, 1_000n), window(84), 0).monthlyBudget, 740_000n);
});

test('a project that grows gets room to grow on, at most twice', () => {
  const used = (late: bigint) => [
    ...steady(28, late),
    ...steady(56, 1_000n).filter(({ hour }) => hour < UNTIL - 28 * DAY_MS),
  ];
  const grown = suggestQuota(used(1_500n), window(56), 0);
  assert.equal(grown.growth, 1_500);
  assert.equal(grown.monthlyBudget, 1_700_000n, '730.5 × 1,500 × 1.5');
  assert.equal(suggestQuota(used(9_000n), window(56), 0).growth, 2_000);
  assert.equal(suggestQuota(used(10n), window(56), 0).growth, 1_000, 'shrinking takes nothing');
});

test('one wild week or hour in twenty does not set the limits', () => {
  const wild = UNTIL - 30 * DAY_MS;
  const used = steady(147, 1_000n).map((one) =>
    one.hour === wild ? { ...one, amount: 10_000_000n, millicoreMs: 10n ** 15n } : one,
  );
  const suggested = suggestQuota(used, window(147), 20);
  assert.equal(suggested.weeks, 21);
  assert.equal(suggested.millicores, 3_000);
  assert.equal(suggested.reservationPerHour, 1_200n);
  assert.ok(suggested.monthlyBudget < 2_000_000n, `${suggested.monthlyBudget}`);
});

test('a short history is scaled up to a week and says so; none suggests nothing', () => {
  const short = suggestQuota(steady(2, 1_000n), window(90), 0);
  assert.deepEqual([short.weeks, short.hours, short.monthlyBudget], [0, 48, 740_000n]);
  assert.deepEqual(suggestQuota([], window(90), 20), {
    ...{ hours: 0, weeks: 0, growth: 1_000 },
    ...{ monthlyBudget: 0n, millicores: 0, reservationPerHour: 0n },
  });
});

test('a suggestion is never negative, needs no order, and more headroom is never less', () => {
  const hour = fc.integer({ min: 1, max: 24 * 120 }).map((back) => UNTIL - back * HOUR_MS);
  const amount = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 15n });
  const millicoreMs = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 15n });
  const used = fc.uniqueArray(fc.record({ hour, amount, millicoreMs }), {
    selector: (one) => one.hour,
    maxLength: 200,
  });
  fc.assert(
    fc.property(used, fc.integer({ min: 0, max: 500 }), (some, headroom) => {
      const less = suggestQuota(some, window(90), headroom);
      const more = suggestQuota([...some].reverse(), window(90), headroom + 10);
      assert.ok(less.monthlyBudget >= 0n && less.reservationPerHour >= 0n && less.millicores >= 0);
      assert.ok(more.monthlyBudget >= less.monthlyBudget);
      assert.ok(more.millicores >= less.millicores);
      assert.ok(more.reservationPerHour >= less.reservationPerHour);
    }),
  );
});
