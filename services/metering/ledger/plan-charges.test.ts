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
    kind: 'usage',
    coverage: 'exact',
    ...more,
  };
}

const open = (storedAt: number) => ({ storedAt, closedUntil: undefined });

/** The ledger's last word after these rows. */
function netOf(rows: readonly Charge[]): NetCharge[] {
  const last = new Map<string, Charge>();
  for (const row of rows) last.set(`${row.hour}/${row.step}/${row.kind}`, row);
  return [...last.values()].map((charge) => ({ charge, revision: chargeRevision(charge.id) + 1 }));
}

const shown = (rows: readonly Charge[]) =>
  rows.map((row) => [row.type, row.project, row.amount, chargeRevision(row.id)]);

test('what is not charged yet is charged; what stands is left alone', () => {
  const rows = planCharges(PAYER, [line(5n)], [], open(T0));
  assert.deepEqual(shown(rows), [['ORIGINAL', 'etl', 5n, 0]]);
  assert.deepEqual(planCharges(PAYER, [line(5n)], netOf(rows), open(T0 + 9)), []);
});

test('another amount retracts the row in force and restates it', () => {
  const rows = planCharges(PAYER, [line(5n)], [], open(T0));
  const more = planCharges(PAYER, [line(7n)], netOf(rows), open(T0 + 9));
  assert.deepEqual(shown(more), [
    ['RETRACTION', 'etl', -5n, 1],
    ['RESTATEMENT', 'etl', 7n, 2],
  ]);
  assert.equal(more[0]?.quantity.containerMs, -5n);
  assert.equal(more[0]?.storedAt, T0 + 9);
});

test('another project gets the charge, and the first one gets it back', () => {
  const rows = planCharges(PAYER, [line(5n)], [], open(T0));
  const payer = { ...PAYER, project: 'ml' as ProjectId };
  assert.deepEqual(shown(planCharges(payer, [line(5n)], netOf(rows), open(T0))), [
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
    const rows = planCharges(PAYER, [line(5n)], [], open(T0));
    assert.equal(planCharges(PAYER, [desired], netOf(rows), open(T0)).length, 2);
  });
}

test('a charge that vanishes is retracted, and comes back as a restatement of its own', () => {
  const first = planCharges(PAYER, [line(5n)], [], open(T0));
  const gone = planCharges(PAYER, [], netOf(first), open(T0));
  assert.deepEqual(shown(gone), [['RETRACTION', 'etl', -5n, 1]]);
  assert.deepEqual(planCharges(PAYER, [], netOf(gone), open(T0)), []);
  const back = planCharges(PAYER, [line(5n)], netOf(gone), open(T0));
  assert.deepEqual(shown(back), [['RESTATEMENT', 'etl', 5n, 2]]);
});

test('ids depend on container, hour, step and revision alone, so that planning twice repeats them', () => {
  const ids = (payer: Payer, desired: LifeLine) =>
    planCharges(payer, [desired], [], open(T0)).map(({ id }) => id);
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

test('what comes after its month was closed is booked in the next one, as a correction', () => {
  const october = Date.UTC(2026, 10) - 3_600_000;
  const closed = { storedAt: T0, closedUntil: Date.UTC(2026, 10) };
  const row = (one: Charge) => [one.type, one.hour, one.booked, one.amount];
  const lines = [line(5n, { hour: october }), line(6n)];
  const late = planCharges(PAYER, lines, [], closed);
  assert.deepEqual(late.map(row), [
    ['RESTATEMENT', october, '2026-11', 5n],
    ['ORIGINAL', T0, undefined, 6n],
  ]);
  const before = planCharges(PAYER, lines, [], open(T0 - 9));
  const fewer = [line(3n, { hour: october }), line(6n)];
  assert.deepEqual(planCharges(PAYER, fewer, netOf(before), closed).map(row), [
    ['RETRACTION', october, '2026-11', -5n],
    ['RESTATEMENT', october, '2026-11', 3n],
  ]);
  // The month of the first correction is closed too: the next one goes on.
  const later = { storedAt: T0, closedUntil: Date.UTC(2026, 11) };
  const again = planCharges(PAYER, [line(6n)], netOf(late), later);
  assert.deepEqual(again.map(row), [['RETRACTION', october, '2026-12', -5n]]);
});

test('a minimum stands beside the usage of its hour, and has an id of its own', () => {
  const minimum = line(2n, { kind: 'minimum' });
  const rows = planCharges(PAYER, [line(5n), minimum], [], open(T0));
  assert.deepEqual(
    rows.map(({ kind, amount }) => [kind, amount]),
    [
      ['usage', 5n],
      ['minimum', 2n],
    ],
  );
  assert.equal(new Set(rows.map(({ id }) => id)).size, 2);
  const gone = planCharges(PAYER, [line(5n)], netOf(rows), open(T0));
  assert.deepEqual(shown(gone), [['RETRACTION', 'etl', -2n, 1]]);
});
