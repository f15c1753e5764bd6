import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { crashingStores, SimulatedCrash } from '../support/crashing-stores.ts';
import { T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  announceSteps,
  assertSums,
  END,
  historiesOf,
  LEASE_MS,
  SPAN_MS,
  settleAll,
  settledAtOnce,
  settlerOf,
  shuffled,
} from '../support/metering-histories.ts';
import { allCharges, meteringStores, netCharges } from '../support/metering-run.ts';

const histories = historiesOf(fc.constant(undefined));

/** Slices of the shuffled, repeated history, each with the time at which it becomes known. */
const arrivals = fc.record({
  order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  cuts: fc.array(fc.nat(30), { maxLength: 5 }),
  repeat: fc.boolean(),
});

test('any order, repetition and batch split of the facts comes to the same net charges', async () => {
  await fc.assert(
    fc.asyncProperty(histories, arrivals, async ({ facts, evidence }, arrival) => {
      const expected = await settledAtOnce(facts, evidence);
      await using ledger = await openLedger({ file: ':memory:' });
      await announceSteps(ledger);
      const settler = settlerOf(meteringStores(ledger));
      const mixed = shuffled(arrival.repeat ? [...facts, ...facts] : facts, arrival.order);
      const cuts = [0, ...arrival.cuts.map((cut) => cut % (mixed.length + 1)), mixed.length];
      cuts.sort((a, b) => a - b);
      for (const [index, cut] of cuts.entries()) {
        // Known early or late: settlements happen in the middle of the containers' lives, too.
        const now = T0 + Math.floor(((index + 1) * (END - T0)) / cuts.length);
        const slice = journalBatch({
          facts: mixed.slice(cut, cuts[index + 1] ?? mixed.length),
          evidence: evidence.slice(index, index + 1),
        });
        await ledger.journalWriter.record(slice, now);
        await settleAll(settler, now);
        await assertSums(ledger);
      }
      const rest = journalBatch({ evidence: evidence.slice(cuts.length) });
      await ledger.journalWriter.record(rest, END);
      await settleAll(settler, END + LEASE_MS);
      assert.deepEqual(netCharges(await allCharges(ledger)), expected);
      await assertSums(ledger);
    }),
    { numRuns: 60 },
  );
});

test('a crash at any call of any store, and a restart, comes to the same net charges', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      fc.array(fc.record({ call: fc.nat(25), after: fc.boolean() }), { maxLength: 6 }),
      async ({ facts, evidence }, crashes) => {
        const expected = await settledAtOnce(facts, evidence);
        await using ledger = await openLedger({ file: ':memory:' });
        await announceSteps(ledger);
        const half = Math.floor(facts.length / 2);
        await ledger.journalWriter.record(journalBatch({ facts: facts.slice(0, half) }), T0);
        const times = [T0 + SPAN_MS / 2, END];
        for (const crash of crashes) {
          const stores = crashingStores(meteringStores(ledger), crash);
          await settleAll(settlerOf(stores), times[crash.call % 2] ?? END).catch((error) => {
            if (!(error instanceof SimulatedCrash)) throw error;
          });
        }
        const rest = journalBatch({ facts: facts.slice(half), evidence });
        await ledger.journalWriter.record(rest, END);
        for (const crash of crashes) {
          const stores = crashingStores(meteringStores(ledger), crash);
          await settleAll(settlerOf(stores), END).catch((error) => {
            if (!(error instanceof SimulatedCrash)) throw error;
          });
        }
        await settleAll(settlerOf(meteringStores(ledger)), END + LEASE_MS);
        assert.deepEqual(netCharges(await allCharges(ledger)), expected);
        await assertSums(ledger);
      },
    ),
    { numRuns: 60 },
  );
});

test('a settlement repeated when nothing is new writes no row', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async ({ facts, evidence }) => {
      await using ledger = await openLedger({ file: ':memory:' });
      await ledger.journalWriter.record(journalBatch({ facts, evidence }), END);
      const settler = settlerOf(meteringStores(ledger));
      await settleAll(settler, END + LEASE_MS);
      const rows = await allCharges(ledger);
      assert.ok(rows.every(({ type }) => type === 'ORIGINAL'));
      const again = await settler.settle(END + 2 * LEASE_MS, 0);
      assert.deepEqual(again.settlement.charges, []);
      assert.deepEqual(await allCharges(ledger), rows);
    }),
    { numRuns: 30 },
  );
});
