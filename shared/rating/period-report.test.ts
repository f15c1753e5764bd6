import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { aCharge, ETL } from '../../test/support/ledger-builders.ts';
import type { Charge } from '../contracts/charge.ts';
import { canonicalJson } from '../values/canonical-json.ts';
import { HOUR_MS } from '../values/instant.ts';
import { parseCredits } from '../values/money.ts';
import { PERIOD_RULE_VERSION, type PeriodQuestion, periodReport } from './period-report.ts';

const NOVEMBER = Date.UTC(2026, 10);
const ASKED: PeriodQuestion = {
  project: ETL,
  month: '2026-11',
  cutOff: NOVEMBER + 100,
  closedAt: undefined,
  ruleVersion: PERIOD_RULE_VERSION,
};
const row = (more: Partial<Charge>): Charge =>
  aCharge({ hour: NOVEMBER, storedAt: NOVEMBER, amount: 1_000_000_000n, ...more });
const bytes = (rows: Iterable<Charge>, more: Partial<PeriodQuestion> = {}) =>
  canonicalJson(periodReport(rows, { ...ASKED, ...more }));

test('base, surge, minimum and corrections are told apart, by application and role', () => {
  const october = { hour: NOVEMBER - HOUR_MS, booked: '2026-11', type: 'RETRACTION' } as const;
  const report = periodReport(
    [
      row({ step: 1_250, amount: 2_500_000_000n }),
      row({ step: 800, amount: 800_000_000n, role: 'driver', coverage: 'inferred' }),
      row({ kind: 'minimum', amount: 50_000_000n }),
      row({ ...october, amount: -700_000_000n, application: 'app-0' }),
    ],
    ASKED,
  );
  const sums = ({ amount, base, surge, minimum, coverage }: typeof report.total) =>
    [amount, base, surge, minimum, coverage.exact, coverage.inferred].join(' ');
  assert.equal(sums(report.charges), '3.35 3 0.3 0.05 2.55 0.8');
  assert.equal(sums(report.corrections), '-0.7 -0.7 0 0 -0.7 0');
  assert.equal(sums(report.total), '2.65 2.3 0.3 0.05 1.85 0.8');
  assert.deepEqual(
    report.corrections.months.map(({ month, amount }) => [month, amount]),
    [['2026-10', '-0.7']],
  );
  assert.deepEqual(
    report.applications.map(({ application, amount, roles }) => [
      application,
      amount,
      roles.map((role) => [role.role, role.amount]),
    ]),
    [
      ['app-0', '-0.7', [['executor', '-0.7']]],
      [
        'app-1',
        '3.35',
        [
          ['driver', '0.8'],
          ['executor', '2.55'],
        ],
      ],
    ],
  );
});

const rows = fc.array(
  fc
    .record({
      amount: fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
      step: fc.integer({ min: 10, max: 60 }).map((rung) => rung * 50),
      application: fc.constantFrom('a', 'b"', 'c'),
      role: fc.constantFrom('driver', 'executor'),
      kind: fc.constantFrom('usage' as const, 'minimum' as const),
      coverage: fc.constantFrom('exact' as const, 'inferred' as const),
      booked: fc.constantFrom(undefined, '2026-11'),
      storedAt: fc.integer({ min: 0, max: 200 }).map((ms) => NOVEMBER + ms),
    })
    .map(row),
  { maxLength: 20 },
);

test('the order of rows changes no byte, and rows stored after the cut-off are not there', () => {
  fc.assert(
    fc.property(rows, fc.func(fc.integer()), (all, rank) => {
      const mixed = all
        .map((charge, i) => ({ charge, key: rank(i) }))
        .sort((a, b) => a.key - b.key)
        .map(({ charge }) => charge);
      const known = all.filter(({ storedAt }) => storedAt <= ASKED.cutOff);
      assert.equal(bytes(mixed), bytes(known));
    }),
  );
});

test('parts of a total add up to it, whatever the rows', () => {
  fc.assert(
    fc.property(rows, (all) => {
      const report = periodReport(all, ASKED);
      const sum = (texts: readonly string[]) =>
        texts.reduce((total, text) => total + (parseCredits(text) ?? assert.fail(text)), 0n);
      const truth = all
        .filter(({ storedAt }) => storedAt <= ASKED.cutOff)
        .reduce((total, { amount }) => total + amount, 0n);
      const { total, charges, corrections, applications } = report;
      assert.equal(sum([total.amount]), truth);
      assert.equal(sum([total.base, total.surge, total.minimum]), truth);
      assert.equal(sum([total.coverage.exact, total.coverage.inferred]), truth);
      assert.equal(sum([charges.amount, corrections.amount]), truth);
      assert.equal(sum(applications.map(({ amount }) => amount)), truth);
      const roles = applications.flatMap((one) => one.roles.map(({ amount }) => amount));
      assert.equal(sum(roles), truth);
    }),
  );
});

test('once a month is closed, every cut-off after it is the same report', () => {
  const all = [row({}), row({ storedAt: NOVEMBER + 90, booked: '2026-11' })];
  const closedAt = NOVEMBER + 80;
  const at = (cutOff: number) => bytes(all, { cutOff, closedAt });
  assert.equal(at(closedAt), at(closedAt + 1e9));
  assert.match(at(closedAt), /"state":"closed"/);
  // A row of the month is in it even when the meter's clock was ahead of who closed it.
  assert.equal(periodReport(all, { ...ASKED, closedAt, cutOff: closedAt }).total.rows, 2);
  // As it was before: the same bytes as without the close.
  assert.equal(at(closedAt - 1), bytes(all, { cutOff: closedAt - 1 }));
  assert.match(at(closedAt - 1), /"state":"open"/);
});
