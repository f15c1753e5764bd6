import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PriceEpoch } from '../contracts/charge.ts';
import type { ContainerLife } from '../intervals/container-life.ts';
import { HOUR_MS } from '../values/instant.ts';
import { NANOCREDITS_PER_CREDIT } from '../values/money.ts';
import { BASE_STEP } from '../values/price-step.ts';
import { DEFAULT_RATE_CARD } from '../values/rate-card.ts';
import { balanceOf, type LimitAccount, NO_LIMITS } from './evaluate-limits.ts';
import { estimateUse, evaluateQuota, type QuotaQuestion } from './evaluate-quota.ts';
import { rateLife } from './rate-life.ts';
import { Tariff } from './tariff.ts';

const ONE_CORE = { millicores: 1_000, memoryMib: 1_024, gpus: 0, containers: 1 };

/** 3.6 credits: one core with one GiB for an hour at the base price. */
const HOUR_OF_ONE_CORE = 3_600_000_000n;

const EMPTY: LimitAccount = {
  ...{ granted: 0n, charged: 0n, accrued: 0n, reserved: 0n, unlimited: false },
  ...{ millicores: 0, reservedMillicores: 0, readings: [] },
};

function ask(change: Partial<QuotaQuestion>): ReturnType<typeof evaluateQuota> {
  return evaluateQuota({
    project: 'etl',
    account: { ...EMPTY, granted: 10n * NANOCREDITS_PER_CREDIT },
    limits: NO_LIMITS,
    now: 0,
    step: BASE_STEP,
    card: DEFAULT_RATE_CARD,
    planned: undefined,
    ...change,
  });
}

test('a project with credits may run', () => {
  const verdict = ask({});
  assert.equal(verdict.allowed, true);
  assert.equal(verdict.reason, 'ok');
  assert.equal(verdict.balance, 10n * NANOCREDITS_PER_CREDIT);
  assert.equal(verdict.estimate, undefined);
});

test('an unknown project may not run, and the answer names it', () => {
  const verdict = ask({ account: undefined });
  assert.equal(verdict.allowed, false);
  assert.equal(verdict.reason, 'unknown-project');
  assert.match(verdict.message, /etl/);
});

test('what running containers have used is taken off before it is charged', () => {
  const account = { ...EMPTY, granted: 5n, charged: 3n, accrued: 2n };
  const verdict = ask({ account });
  assert.equal(verdict.reason, 'balance-exhausted');
  assert.equal(verdict.allowed, false);
  assert.equal(verdict.balance, 0n);
  assert.equal(ask({ account: { ...account, accrued: 1n } }).allowed, true);
});

test('a plan is refused only above the balance', () => {
  const planned = { resources: ONE_CORE, durationMs: HOUR_MS };
  const exactly = { ...EMPTY, granted: HOUR_OF_ONE_CORE };
  assert.deepEqual(
    [ask({ planned, account: exactly }).reason, ask({ planned, account: exactly }).estimate],
    ['ok', HOUR_OF_ONE_CORE],
  );
  const short = { ...exactly, granted: HOUR_OF_ONE_CORE - 1n };
  const refused = ask({ planned, account: short });
  assert.equal(refused.reason, 'estimate-exceeds-balance');
  assert.match(refused.message, /would cost 3\.6 credits.*at 1\.00 X/);
});

test('a higher price makes the same plan dearer', () => {
  const planned = { resources: ONE_CORE, durationMs: HOUR_MS };
  assert.equal(estimateUse(planned, 1_150, DEFAULT_RATE_CARD), (HOUR_OF_ONE_CORE * 115n) / 100n);
});

test('a plan costs the minimum charge of each of its containers, as they will be charged', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.nat(10_000),
      fc.bigInt({ min: 0n, max: 20_000_000n }),
      fc.constantFrom(900, 1_000, 1_150),
      (containers, durationMs, minimum, step) => {
        const card = { ...DEFAULT_RATE_CARD, minimum };
        const each = { millicores: 1_000, memoryMib: 1_024, gpus: 0 };
        const epoch = { pool: 'cpu', start: -1, end: undefined, step, reason: '' } as PriceEpoch;
        const life: ContainerLife = {
          ...{ application: 'app', attempt: '1', role: 'executor', start: 0 },
          ...{ end: durationMs, coverage: 'exact', witnessedUntil: durationMs },
          intervals: durationMs === 0 ? [] : [{ start: 0, end: durationMs, resources: each }],
        };
        const charged = rateLife(
          life,
          { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY },
          {
            ...{ tariff: new Tariff([{ card, validFrom: 0 }]), epochs: [epoch], project: 'etl' },
            ...{ percent: 100, over: true },
          },
        ).reduce((sum, { amount }) => sum + amount, 0n);
        const together = {
          millicores: containers * each.millicores,
          memoryMib: containers * each.memoryMib,
          ...{ gpus: 0, containers },
        };
        const estimate = estimateUse({ resources: together, durationMs }, step, card);
        assert.equal(estimate, charged * BigInt(containers));
      },
    ),
  );
  const planned = { resources: { ...ONE_CORE, containers: 3 }, durationMs: 1 };
  const card = { ...DEFAULT_RATE_CARD, minimum: NANOCREDITS_PER_CREDIT };
  const few = { ...EMPTY, granted: 3n * NANOCREDITS_PER_CREDIT - 1n };
  assert.equal(ask({ planned, card, account: few }).reason, 'estimate-exceeds-balance');
});

test('a project without any grant is not limited, whatever it used', () => {
  const account = { ...EMPTY, charged: 99n, accrued: 1n, unlimited: true };
  const planned = { resources: ONE_CORE, durationMs: HOUR_MS };
  const verdict = ask({ account, planned });
  assert.deepEqual([verdict.allowed, verdict.reason, verdict.balance], [true, 'unlimited', -100n]);
  assert.equal(verdict.estimate, HOUR_OF_ONE_CORE);
});

test('more credits never turn a yes into a no', () => {
  const credits = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
  fc.assert(
    fc.property(
      credits,
      fc.bigInt({ min: 0n, max: 10n ** 15n }),
      fc.nat(HOUR_MS),
      (granted, more, ms) => {
        const account = { ...EMPTY, granted, charged: 7n, accrued: 3n };
        const planned = { resources: ONE_CORE, durationMs: ms };
        const before = ask({ account, planned });
        const after = ask({ account: { ...account, granted: granted + more }, planned });
        assert.ok(!before.allowed || after.allowed);
        assert.equal(before.balance, balanceOf(account));
      },
    ),
  );
});
