import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS } from '../values/instant.ts';
import {
  balanceOf,
  evaluateLimits,
  type LimitAccount,
  NO_LIMITS,
  type ProjectLimits,
} from './evaluate-limits.ts';

const NOW = 20_000 * DAY_MS + 6 * HOUR_MS;
const ACCOUNT: LimitAccount = {
  ...{ granted: 100n, charged: 30n, accrued: 10n, reserved: 20n, unlimited: false },
  ...{ millicores: 3_000, reservedMillicores: 1_000, readings: [] },
};

function ask(
  limits: Partial<ProjectLimits>,
  use: { cost?: bigint; millicores?: number } = {},
  account: Partial<LimitAccount> = {},
) {
  const { states, refusals } = evaluateLimits(
    { ...ACCOUNT, ...account },
    { ...NO_LIMITS, ...limits },
    { cost: use.cost, millicores: use.millicores ?? 0 },
    NOW,
  );
  return { states, codes: refusals.map(({ code }) => code), refusals };
}

test('Check-then-act race: what others hold is taken off before anybody is admitted', () => {
  assert.deepEqual(ask({}, { cost: 40n }).codes, []);
  const refused = ask({}, { cost: 41n });
  assert.deepEqual(refused.codes, ['estimate-exceeds-balance']);
  assert.equal(refused.refusals[0]?.retryAfterMs, 30_000, 'holds may end');
  assert.equal(ask({}, { cost: 61n }).refusals[0]?.retryAfterMs, undefined, 'no hold is to blame');
});

test('Negative balance: a credit line is stated, and ends where it ends', () => {
  const exhausted = { reserved: 60n };
  assert.deepEqual(ask({}, {}, exhausted).codes, ['balance-exhausted']);
  assert.deepEqual(ask({ creditLine: 5n }, { cost: 5n }, exhausted).codes, []);
  const over = ask({ creditLine: 5n }, { cost: 6n }, exhausted);
  assert.deepEqual(over.codes, ['estimate-exceeds-balance']);
  assert.match(over.refusals[0]?.message ?? '', /credit line/);
});

test('a project without grants has no limit of credits, and its others all the same', () => {
  const unlimited = { unlimited: true, granted: 0n };
  const asked = ask({ millicores: 4_999 }, { cost: 10n ** 20n, millicores: 1_000 }, unlimited);
  assert.deepEqual(asked.codes, ['cores-exceeded']);
  assert.deepEqual(
    asked.states.map(({ kind }) => kind),
    ['cores'],
  );
});

test('cores fit exactly; a full quota refuses who does not say what it holds', () => {
  assert.deepEqual(ask({ millicores: 5_000 }, { millicores: 1_000 }).codes, []);
  assert.deepEqual(ask({ millicores: 5_000 }, { millicores: 1_001 }).codes, ['cores-exceeded']);
  assert.deepEqual(ask({ millicores: 4_001 }).codes, []);
  const full = ask({ millicores: 4_000 });
  assert.deepEqual(full.codes, ['cores-exceeded']);
  assert.equal(full.refusals[0]?.retryAfterMs, 30_000);
  const never = ask({ millicores: 4_000 }, { millicores: 4_001 });
  assert.equal(never.refusals[0]?.retryAfterMs, undefined, 'it will never fit');
});

test('bytes refuse once they are full, logs until the day is over', () => {
  const readings = [
    { kind: 'stored-bytes', used: 9n, asOf: NOW - 5 },
    { kind: 'log-bytes', used: 10n, asOf: NOW },
  ] as const;
  const limits = { storedBytes: 10n, logBytesPerDay: 10n };
  const asked = ask(limits, {}, { readings });
  assert.deepEqual(asked.codes, ['log-bytes-exceeded']);
  assert.equal(asked.refusals[0]?.retryAfterMs, 18 * HOUR_MS);
  assert.deepEqual(asked.states.map(({ kind, used, asOf }) => [kind, used, asOf]).slice(1), [
    ['stored-bytes', 9n, NOW - 5],
    ['log-bytes', 10n, NOW],
  ]);
  const yesterday = [{ kind: 'log-bytes', used: 99n, asOf: NOW - 7 * HOUR_MS }] as const;
  const fresh = ask({ logBytesPerDay: 10n, staleMs: DAY_MS }, {}, { readings: yesterday });
  assert.deepEqual([fresh.codes, fresh.states[1]?.used], [[], 0n]);
});

test('a stale or missing reading is shown, and refuses only where the fail mode is closed', () => {
  const readings = [{ kind: 'stored-bytes', used: 99n, asOf: NOW - HOUR_MS - 1 }] as const;
  const limits = { storedBytes: 10n, logBytesPerDay: 10n };
  const open = ask(limits, {}, { readings });
  assert.deepEqual(open.codes, []);
  assert.deepEqual(
    open.states.slice(1).map(({ stale, asOf }) => [stale, asOf]),
    [
      [true, NOW - HOUR_MS - 1],
      [true, undefined],
    ],
  );
  const closed = ask({ ...limits, failMode: 'closed' }, {}, { readings });
  assert.deepEqual(closed.codes, ['stored-bytes-unknown', 'log-bytes-unknown']);
  assert.match(closed.refusals[1]?.message ?? '', /never measured/);
});

test('whatever is admitted one after the other, no limit is passed', () => {
  const amount = fc.bigInt({ min: 0n, max: 60n });
  const asks = fc.array(fc.tuple(amount, fc.nat(4_000)), { maxLength: 20 });
  fc.assert(
    fc.property(fc.bigInt({ min: -50n, max: 200n }), amount, asks, (granted, creditLine, all) => {
      const limits = { ...NO_LIMITS, creditLine, millicores: 10_000 };
      let account: LimitAccount = { ...ACCOUNT, granted };
      for (const [cost, millicores] of all) {
        if (evaluateLimits(account, limits, { cost, millicores }, NOW).refusals.length > 0)
          continue;
        account = {
          ...account,
          reserved: account.reserved + cost,
          reservedMillicores: account.reservedMillicores + millicores,
        };
        assert.ok(balanceOf(account) >= -creditLine);
        assert.ok(account.millicores + account.reservedMillicores <= 10_000);
      }
    }),
  );
});
