import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { meteringConfig, tariffBookOf } from '../../services/metering/config.ts';
import type { Evidence, JournalFact } from '../../shared/contracts/container-fact.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import {
  PERIOD_RULE_VERSION,
  type PeriodReport,
  PeriodTotals,
} from '../../shared/rating/period-report.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { canonicalJson } from '../../shared/values/canonical-json.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import { parseCredits } from '../../shared/values/money.ts';
import { type Month, monthEnd } from '../../shared/values/month.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { crashingStores, SimulatedCrash } from '../support/crashing-stores.ts';
import { T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  assertSums,
  historiesOf,
  LEASE_MS,
  SPAN_MS,
  settleAll,
  settlerOf,
  shuffled,
} from '../support/metering-histories.ts';
import { allCharges, meteringStores, netCharges } from '../support/metering-run.ts';

const DECEMBER = Date.UTC(2026, 11);
const JANUARY = Date.UTC(2027, 0);
/** Histories of four hours, two on either side of the end of November. */
const SHIFT_MS = DECEMBER - SPAN_MS / 2 - T0;
const START = T0 + SHIFT_MS;
const DONE = JANUARY + DAY_MS;
const MONTHS: readonly Month[] = ['2026-11', '2026-12', '2027-01'];

const tariff = tariffBookOf(
  meteringConfig.parse({
    pools: [{ id: 'default', clusters: ['*'] }],
    rateCards: [
      { id: 'pool', pool: 'default', minimum: '3' },
      { id: 'december', pool: 'default', minimum: '7', validFrom: '2026-12-01T00:00:00Z' },
    ],
  }),
);

const histories = historiesOf(fc.constant(undefined)).map(({ facts, evidence }) => ({
  facts: facts.map((fact): JournalFact => ({ ...fact, at: fact.at + SHIFT_MS })),
  evidence: evidence.map((one): Evidence => ({ ...one, until: one.until + SHIFT_MS })),
}));

async function announceSteps(ledger: Ledger): Promise<void> {
  const words = { pool: 'default', end: undefined, ruleVersion: 'test', reason: '', inputs: '{}' };
  for (const [index, step] of [1_000, 1_050, 1_150, 1_100].entries()) {
    const start = START + index * 47 * MINUTE_MS;
    await ledger.priceWriter.announce({ ...words, id: `${start}`, step, start }, T0);
  }
}

interface Made {
  readonly project: ProjectId;
  readonly month: Month;
  readonly cutOff: number;
  readonly bytes: string;
}

async function reportOf(
  ledger: Ledger,
  { project, month, cutOff }: Omit<Made, 'bytes'>,
): Promise<PeriodReport> {
  const closed = (await ledger.periods.closed()).find((one) => one.month >= month);
  const closedAt = closed?.closedAt;
  const totals = new PeriodTotals({
    ...{ project, month, cutOff, closedAt },
    ruleVersion: PERIOD_RULE_VERSION,
  });
  for await (const page of ledger.periods.booked(project, month, 3)) {
    for (const charge of page) totals.add(charge);
  }
  return totals.report();
}

async function reports(ledger: Ledger, cutOff: number, months = MONTHS): Promise<Made[]> {
  const made: Made[] = [];
  for (const project of await ledger.ledgerReader.projects()) {
    for (const month of months) {
      const asked = { project, month, cutOff };
      made.push({ ...asked, bytes: canonicalJson(await reportOf(ledger, asked)) });
    }
  }
  return made;
}

/** Closes a month if that is possible by now. @returns whether it was not closed before, and is now */
async function closes(ledger: Ledger, month: Month, at: number): Promise<boolean> {
  if (at < monthEnd(month)) return false;
  const before = (await ledger.periods.closed()).length;
  try {
    await ledger.periods.close({ month, at, by: 'test' });
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONFLICT') return false;
    throw error;
  }
  return (await ledger.periods.closed()).length > before;
}

/** Settles with crashes in between until none is left. */
async function settleThrough(
  ledger: Ledger,
  now: number,
  crashes: readonly { readonly call: number; readonly after: boolean }[],
): Promise<void> {
  for (const crash of crashes) {
    const stores = crashingStores(meteringStores(ledger), crash);
    await settleAll(settlerOf(stores, tariff), now).catch((error) => {
      if (!(error instanceof SimulatedCrash)) throw error;
    });
  }
  await settleAll(settlerOf(meteringStores(ledger), tariff), now);
}

async function truthOf(facts: readonly JournalFact[], evidence: readonly Evidence[]) {
  await using ledger = await openLedger({ file: ':memory:' });
  await announceSteps(ledger);
  await ledger.journalWriter.record(journalBatch({ facts, evidence }), DONE);
  await settleThrough(ledger, DONE + LEASE_MS, []);
  const rows = await allCharges(ledger);
  return { net: netCharges(rows), sum: rows.reduce((sum, { amount }) => sum + amount, 0n) };
}

const arrivals = fc.record({
  order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  cuts: fc.array(fc.nat(30), { minLength: 4, maxLength: 4 }),
  crash: fc.record({ call: fc.nat(25), after: fc.boolean() }),
});

/** When slices become known: in November, around its end, after its close, after December's. */
const TIMES = [
  START + HOUR_MS,
  DECEMBER + 3 * HOUR_MS,
  DECEMBER + DAY_MS,
  DECEMBER + 2 * DAY_MS,
  JANUARY + HOUR_MS,
];

test('late facts, order, repeats, crashes and closed months change no sum and no closed report', async () => {
  let closings = 0;
  let corrections = 0;
  await fc.assert(
    fc.asyncProperty(histories, arrivals, async ({ facts, evidence }, { order, cuts, crash }) => {
      const truth = await truthOf(facts, evidence);
      await using ledger = await openLedger({ file: ':memory:' });
      await announceSteps(ledger);
      const mixed = shuffled([...facts, ...facts.slice(0, 5)], order);
      const ends = cuts.map((cut) => cut % (mixed.length + 1)).sort((a, b) => a - b);
      const made: Made[] = [];
      for (const [index, at] of TIMES.entries()) {
        const slice = mixed.slice(ends[index - 1] ?? 0, ends[index] ?? mixed.length);
        const seen =
          index === TIMES.length - 1 ? evidence.slice(index) : evidence.slice(index, index + 1);
        await ledger.journalWriter.record(journalBatch({ facts: slice, evidence: seen }), at);
        await settleThrough(ledger, at, [crash]);
        made.push(...(await reports(ledger, (await ledger.periods.knownUntil()) - 1)));
        // The containers of the slice are over by then, and their months can be closed.
        const over = at + LEASE_MS;
        await settleThrough(ledger, over, [crash]);
        for (const month of MONTHS) {
          if (!(await closes(ledger, month, over))) continue;
          closings += 1;
          made.push(...(await reports(ledger, over, [month])));
        }
      }
      await settleThrough(ledger, DONE + LEASE_MS, [crash]);
      const rows = await allCharges(ledger);
      corrections += rows.filter(({ booked }) => booked !== undefined).length;
      assert.deepEqual(netCharges(rows), truth.net);
      await assertSums(ledger);
      for (const { bytes, ...asked } of made) {
        assert.equal(canonicalJson(await reportOf(ledger, asked)), bytes);
      }
      const last = await reports(ledger, DONE + LEASE_MS);
      const amounts = last.map(({ bytes }) => (JSON.parse(bytes) as PeriodReport).total.amount);
      const booked = amounts.reduce((sum, text) => sum + (parseCredits(text) ?? 0n), 0n);
      assert.equal(booked, truth.sum, 'the months together are the truth');
    }),
    { numRuns: 40 },
  );
  assert.ok(closings > 40, `${closings} months were closed`);
  assert.ok(corrections > 20, `${corrections} rows were booked later`);
});
