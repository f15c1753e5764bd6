import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PERIOD_RULE_VERSION, periodReport } from '../../shared/rating/period-report.ts';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/values/instant.ts';
import { NANOCREDITS_PER_CREDIT } from '../../shared/values/money.ts';
import { monthOf } from '../../shared/values/month.ts';
import { containerFact, T0 } from '../support/fact-builders.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../support/ledger-builders.ts';
import { allCharges, type MeteringRun, runMetering } from '../support/metering-run.ts';

const CENT = NANOCREDITS_PER_CREDIT / 100n;
/** Two cores and four GiB, a second at the base price. */
const PER_SECOND = 2_200_000n;
/** Only when told, so that a clock that is moved on doesn't settle all the time. */
const SELDOM = { settleIntervalMs: 86_400_000 };
const LATER = T0 + 6 * HOUR_MS;

async function tellLife(run: MeteringRun, container: string, start: number, end: number) {
  await run.tell([
    containerFact('container-started', start, { container }),
    containerFact('container-stopped', end, { container }),
  ]);
}

/** What the ledger comes to, kind by kind. */
async function sums(run: MeteringRun, container = 'c1') {
  const rows = (await allCharges(run.ledger)).filter((row) => row.container === container);
  const of = (kind: string) =>
    rows.filter((row) => row.kind === kind).reduce((sum, { amount }) => sum + amount, 0n);
  const ms = rows.reduce((sum, { quantity }) => sum + quantity.containerMs, 0n);
  return { usage: of('usage'), minimum: of('minimum'), ms };
}

test('Minimum charge: a short container pays it once, as its own line, and its quantity stays true', async () => {
  await using run = await runMetering(LATER, { rateCard: { minimum: '0.05' } });
  await tellLife(run, 'c1', T0, T0 + 5 * SECOND_MS);
  const used = 5n * PER_SECOND;
  assert.deepEqual(await sums(run), { usage: used, minimum: 5n * CENT - used, ms: 5_000n });
  const lines = await allCharges(run.ledger);
  assert.deepEqual(
    lines.filter(({ kind }) => kind === 'minimum').map(({ quantity }) => quantity),
    [{ containerMs: 0n, millicoreMs: 0n, mibMs: 0n, gpuMs: 0n }],
  );
  // With a GPU and under 10 s, Hops gave back 1.7 billion credits; on the CPU alone it was free.
  const gpu = { container: 'gpu', resources: { millicores: 2_000, memoryMib: 4_096, gpus: 1 } };
  await run.tell([
    containerFact('container-started', T0, gpu),
    containerFact('container-stopped', T0 + 1, gpu),
  ]);
  const { usage, minimum, ms } = await sums(run, 'gpu');
  assert.deepEqual([usage + minimum, ms], [5n * CENT, 1n]);
});

test('Minimum charge: what costs more pays its use alone, however often it is settled', async () => {
  await using run = await runMetering(T0, { rateCard: { minimum: '0.05' }, ...SELDOM });
  await run.tell([containerFact('container-started', T0)]);
  for (let minute = 1; minute <= 130; minute += 10) {
    await run.clock.advance(10 * MINUTE_MS);
    await run.tell([], [{ cluster: 'yarn-1', container: 'c1', until: run.clock.now() }]);
  }
  await run.tell([containerFact('container-stopped', T0 + 61 * SECOND_MS)]);
  const used = 61n * PER_SECOND;
  assert.deepEqual(await sums(run), { usage: used, minimum: 0n, ms: 61_000n });
});

test('Minimum charge: restated when the truth changes, and taken back when it runs on', async () => {
  await using run = await runMetering(LATER, { rateCard: { minimum: '0.05' } });
  await tellLife(run, 'c1', T0, T0 + 5 * SECOND_MS);
  // Its true start was earlier: more use, less is missing.
  await run.tell([containerFact('container-started', T0 - 10 * SECOND_MS)]);
  const used = 15n * PER_SECOND;
  assert.deepEqual(await sums(run), { usage: used, minimum: 5n * CENT - used, ms: 15_000n });
  await run.tell([containerFact('container-started', T0 - HOUR_MS)]);
  assert.deepEqual(await sums(run), {
    usage: 3_605n * PER_SECOND,
    minimum: 0n,
    ms: 3_605_000n,
  });
});

test('Minimum charge: of a silent container, once its lease has closed it', async () => {
  await using run = await runMetering(T0, { rateCard: { minimum: '5' }, ...SELDOM });
  await run.tell([containerFact('container-started', T0 - 90 * MINUTE_MS)]);
  await run.tell([], [{ cluster: 'yarn-1', container: 'c1', until: T0 }]);
  assert.equal((await sums(run)).minimum, 0n, 'it runs');
  await run.clock.advance(HOUR_MS);
  await run.metering.settleNow();
  const closed = await sums(run);
  assert.equal(closed.ms, 5_400_000n);
  assert.equal(closed.usage, 5_400n * PER_SECOND, 'above the minimum already');
  assert.equal(closed.minimum, 0n, 'the hours charged before its close count');
});

test('Midnight / month boundary: use is booked to the hour and month it was in, not to its settlement', async () => {
  const midnight = Date.UTC(2026, 10);
  await using run = await runMetering(midnight + 5 * HOUR_MS);
  await tellLife(run, 'c1', midnight - 500, midnight + 1_500);
  const rows = await allCharges(run.ledger);
  assert.deepEqual(
    rows.map(({ hour, quantity }) => [hour, quantity.containerMs]),
    [
      [midnight - HOUR_MS, 500n],
      [midnight, 1_500n],
    ],
  );
  assert.deepEqual(
    rows.map(({ hour }) => monthOf(hour)),
    ['2026-10', '2026-11'],
  );
  // One that ends with the month has nothing in the next.
  await tellLife(run, 'c2', midnight - HOUR_MS, midnight);
  const own = (await allCharges(run.ledger)).filter(({ container }) => container === 'c2');
  assert.deepEqual(
    own.map(({ hour }) => hour),
    [midnight - HOUR_MS],
  );
});

test('DST, local months: a day of 23 or 25 hours costs what passed; the books are cut in UTC', async () => {
  const zone = process.env['TZ'];
  process.env['TZ'] = 'Europe/Berlin';
  try {
    for (const [year, month, day, hours] of [
      [2026, 2, 29, 23],
      [2026, 9, 25, 25],
      [2026, 5, 1, 24],
    ] as const) {
      const [start, end] = [new Date(year, month, day), new Date(year, month, day + 1)];
      assert.equal((end.getTime() - start.getTime()) / HOUR_MS, hours, 'the zone is in force');
      await using run = await runMetering(end.getTime() + HOUR_MS);
      await tellLife(run, 'c1', start.getTime(), end.getTime());
      const { usage, ms } = await sums(run);
      assert.equal(ms, BigInt(hours) * 3_600_000n);
      assert.equal(usage, BigInt(hours) * 3_600n * PER_SECOND);
    }
    // A month that has begun in Berlin hasn't begun in the books.
    assert.equal(monthOf(new Date(2026, 10, 1).getTime()), '2026-10');
    assert.equal(monthOf(Date.UTC(2026, 10)), '2026-11');
  } finally {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  }
});

test('Counter saturation: at 10^15 credits a nanocredit more is a nanocredit more', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  // Above what a double, and a 64-bit integer, can tell apart: the total of a ledger has no bound.
  const huge = 9_000_000_000n * NANOCREDITS_PER_CREDIT;
  const settle = (amounts: readonly bigint[], name: string) => {
    const charges = amounts.map((amount, i) => aCharge({ amount, digest: `${name}${i}` }));
    return ledger.ledgerWriter.settle(aSettlement({ applications: [anApplication()], charges }));
  };
  await settle(
    Array.from({ length: 1_200 }, () => huge),
    'huge',
  );
  for (let i = 0; i < 50; i += 1) await settle([1n], `one${i}-`);
  assert.equal((await ledger.ledgerReader.balance(ETL))?.charged, 1_200n * huge + 50n);
  const target = 10n ** 15n * NANOCREDITS_PER_CREDIT;
  const question = { project: ETL, month: '2026-11', cutOff: T0 + HOUR_MS, closedAt: undefined };
  const rows = [aCharge({ amount: target }), aCharge({ amount: 1n })];
  const { total } = periodReport(rows, { ...question, ruleVersion: PERIOD_RULE_VERSION });
  assert.equal(total.amount, '1000000000000000.000000001');
});

test('Admin edit vs decrement: credits given and taken while charges come in all count', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const given = Array.from({ length: 60 }, (_, i) => BigInt(i % 3 === 0 ? -i : 10 * i));
  await Promise.all(
    given.flatMap((amount, i) => {
      const grant = { id: `g${i}`, project: ETL, amount, reason: 'by hand', grantedAt: T0 };
      const charges = [aCharge({ amount: 7n, digest: `d${i}` })];
      return [
        ledger.grants.grant(grant),
        ledger.ledgerWriter.settle(aSettlement({ applications: [anApplication()], charges })),
        ledger.grants.grant(grant),
      ];
    }),
  );
  const balance = await ledger.ledgerReader.balance(ETL);
  assert.equal(
    balance?.granted,
    given.reduce((sum, amount) => sum + amount, 0n),
  );
  assert.equal(balance?.charged, 60n * 7n);
  assert.equal((await ledger.grants.grants(ETL)).length, 60, 'each is an entry that stays');
});
