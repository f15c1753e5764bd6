import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Charge } from '../../../shared/contracts/charge.ts';
import { chargeRevision } from '../../../shared/contracts/charge.ts';
import type { LifeLine } from '../../../shared/rating/rate-life.ts';
import type { NetCharge } from '../../../shared/stores/ledger-writer.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { type Payer, planCharges } from './plan-charges.ts';

const PAYER: Payer = {
  cluster: 'yarn-1',
  container: 'c1',
  application: 'app-1',
  project: 'etl' as ProjectId,
  role: 'executor',
  tags: '{}',
};

function line(amount: bigint, more: Partial<LifeLine> = {}): LifeLine {
  return {
    hour: T0,
    step: 1_000,
    quantity: { containerMs: amount, millicoreMs: 0n, mibMs: 0n, gpuMs: 0n },
    amount,
    rateCard: 'default',
    coverage: 'exact',
    ...more,
  };
}

/** The ledger's last word after these rows. */
function netOf(rows: readonly Charge[]): NetCharge[] {
  const last = new Map<string, Charge>();
  for (const row of rows) last.set(`${row.hour}/${row.step}`, row);
  return [...last.values()].map((charge) => ({ charge, revision: chargeRevision(charge.id) + 1 }));
}

const shown = (rows: readonly Charge[]) =>
  rows.map((row) => [row.type, row.project, row.amount, chargeRevision(row.id)]);

test('what is not charged yet is charged; what stands is left alone', () => {
  const rows = planCharges(PAYER, [line(5n)], [], T0);
  assert.deepEqual(shown(rows), [['ORIGINAL', 'etl', 5n, 0]]);
  assert.deepEqual(planCharges(PAYER, [line(5n)], netOf(rows), T0 + 9), []);
});

test('another amount retracts the row in force and restates it', () => {
  const rows = planCharges(PAYER, [line(5n)], [], T0);
  const more = planCharges(PAYER, [line(7n)], netOf(rows), T0 + 9);
  assert.deepEqual(shown(more), [
    ['RETRACTION', 'etl', -5n, 1],
    ['RESTATEMENT', 'etl', 7n, 2],
  ]);
  assert.equal(more[0]?.quantity.containerMs, -5n);
  assert.equal(more[0]?.storedAt, T0 + 9);
});

test('another project gets the charge, and the first one gets it back', () => {
  const rows = planCharges(PAYER, [line(5n)], [], T0);
  const payer = { ...PAYER, project: 'ml' as ProjectId };
  assert.deepEqual(shown(planCharges(payer, [line(5n)], netOf(rows), T0)), [
    ['RETRACTION', 'etl', -5n, 1],
    ['RESTATEMENT', 'ml', 5n, 2],
  ]);
});

for (const [what, desired] of [
  ['coverage', line(5n, { coverage: 'inferred' })],
  ['rate card', line(5n, { rateCard: 'other' })],
  ['quantity at the same amount', line(5n, { quantity: line(6n).quantity })],
] as const) {
  test(`another ${what} is a correction`, () => {
    const rows = planCharges(PAYER, [line(5n)], [], T0);
    assert.equal(planCharges(PAYER, [desired], netOf(rows), T0).length, 2);
  });
}

test('a charge that vanishes is retracted, and comes back as a restatement of its own', () => {
  const first = planCharges(PAYER, [line(5n)], [], T0);
  const gone = planCharges(PAYER, [], netOf(first), T0);
  assert.deepEqual(shown(gone), [['RETRACTION', 'etl', -5n, 1]]);
  assert.deepEqual(planCharges(PAYER, [], netOf(gone), T0), []);
  const back = planCharges(PAYER, [line(5n)], netOf(gone), T0);
  assert.deepEqual(shown(back), [['RESTATEMENT', 'etl', 5n, 2]]);
});

test('ids depend on container, hour, step and revision alone, so that planning twice repeats them', () => {
  const ids = (payer: Payer, desired: LifeLine) =>
    planCharges(payer, [desired], [], T0).map(({ id }) => id);
  assert.deepEqual(ids(PAYER, line(5n)), ids({ ...PAYER, role: 'driver' }, line(9n)));
  const others = [
    ids({ ...PAYER, container: 'c2' }, line(5n)),
    ids({ ...PAYER, cluster: 'yarn-2' }, line(5n)),
    ids(PAYER, line(5n, { step: 1_050 })),
    ids(PAYER, line(5n, { hour: T0 + 3_600_000 })),
    ids(PAYER, line(5n)),
  ];
  assert.equal(new Set(others.flat()).size, 5);
});
