import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aGivenGrant } from '../../test/support/grant-builders.ts';
import { DAY_MS, HOUR_MS, utcDay } from '../values/instant.ts';
import { type ForecastQuestion, forecastEnd } from './forecast-end.ts';

/** A Monday, 09:30. */
const NOW = Date.UTC(2026, 10, 23, 9, 30);
const FROM = Date.UTC(2026, 10, 1);

/** The same amount each hour of the past days for which `of` says so. */
function hourly(days: number, amount: (hour: number) => bigint) {
  const start = utcDay(NOW) - days * DAY_MS;
  return Array.from({ length: days * 24 }, (_, n) => start + n * HOUR_MS).map((hour) => ({
    hour,
    amount: amount(hour),
  }));
}

function ask(more: Partial<ForecastQuestion>) {
  const base = { accrued: 0n, perHour: 0n, now: NOW, days: 28, seed: 7, charges: [] };
  return forecastEnd({ ...base, grants: [], ...more });
}

const weekend = (hour: number) => [0, 6].includes(new Date(hour).getUTCDay());

test('a steady burn ends when what is left divided by it says, without a band', () => {
  const charges = hourly(10, () => 10n);
  const grants = [aGivenGrant('g', 2_400n + 480n, undefined, FROM)];
  const told = ask({ charges, grants, perHour: 10n });
  // 480 are left: one for the present hour, 47 more from 10:00 on.
  const end = Date.UTC(2026, 10, 25, 8);
  assert.deepEqual([told.outcome, told.p10, told.median, told.p90], ['ends', end, end, end]);
  assert.equal(told.historyDays, 10);
});

test('nights and weekends are told apart, and the band holds what the days differ by', () => {
  const charges = hourly(28, (hour) =>
    weekend(hour) ? 0n : hour % (2 * DAY_MS) < DAY_MS ? 5n : 15n,
  );
  const used = charges.reduce((sum, { amount }) => sum + amount, 0n);
  const told = ask({ charges, grants: [aGivenGrant('g', used + 240n * 8n, undefined, FROM)] });
  assert.ok(told.p10 && told.median && told.p90);
  assert.ok(told.p10 < told.median && told.median < told.p90, JSON.stringify(told));
  assert.ok(
    [told.p10, told.median, told.p90].every((end) => !weekend(end)),
    'weekends use nothing',
  );
  assert.deepEqual(
    told,
    ask({ charges, grants: [aGivenGrant('g', used + 240n * 8n, undefined, FROM)] }),
  );
});

test('expiries, later grants and months are in it', () => {
  const charges = hourly(10, () => 10n);
  const left = aGivenGrant('g', 2_400n + 240n * 30n, undefined, FROM);
  const friday = Date.UTC(2026, 10, 27);
  const expires = aGivenGrant('g', left.amount, { validFrom: FROM, expiresAt: friday });
  assert.equal(ask({ charges, grants: [expires] }).median, friday);
  const more = aGivenGrant('m', 240n * 30n, { validFrom: friday });
  const both = ask({ charges, grants: [expires, more] }).median ?? 0;
  assert.ok(both > friday + 29 * DAY_MS && both <= friday + 31 * DAY_MS);
  const monthly = { min: 0n, max: 0n };
  const budget = (amount: bigint) => aGivenGrant('b', amount, { validFrom: FROM, monthly });
  assert.equal(ask({ charges, grants: [budget(10_000n)] }).outcome, 'lasts');
  const short = ask({ charges, grants: [budget(7_000n)] }).median ?? 0;
  assert.ok(short > Date.UTC(2026, 11, 29) && short < Date.UTC(2027, 0, 1));
});

test('what can not be told is said with its reason', () => {
  assert.match(ask({}).reason, /no limit/);
  const grants = [aGivenGrant('g', 500n, undefined, FROM)];
  const two = ask({ grants, charges: hourly(2, () => 1n) });
  assert.deepEqual([two.outcome, two.median], ['unknown', undefined]);
  assert.match(two.reason, /can't tell: 2 whole days of use are known, 3 are needed/);
  assert.equal(ask({ grants }).outcome, 'unknown');
  const over = ask({ grants, charges: hourly(5, () => 1n), accrued: 380n });
  assert.equal(over.outcome, 'ended');
});
