import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ExplanationDeps,
  readApplicationExplanation,
  readChargeExplanation,
} from '../../services/api/read-explanation.ts';
import { tariffBookOf } from '../../services/metering/config.ts';
import { must } from '../../shared/errors/assert.ts';
import { DEFAULT_WITNESS_RULE } from '../../shared/intervals/witness-trust.ts';
import { FULL_PRICE } from '../../shared/rating/outcome.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { T0 } from '../support/fact-builders.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  announceSteps,
  END,
  historiesOf,
  LEASE_MS,
  SPAN_MS,
  settleAll,
  settlerOf,
} from '../support/metering-histories.ts';
import { allCharges, meteringOptions, meteringStores } from '../support/metering-run.ts';

function depsOn(ledger: Ledger, now: number): ExplanationDeps {
  return {
    ledger: ledger.ledgerReader,
    journal: ledger.journalReader,
    prices: ledger.priceWriter,
    quotes: ledger.quotes,
    explanations: ledger.explanations,
    metering: {
      tariff: tariffBookOf(meteringOptions()),
      poolOf: () => 'default',
      leaseMs: LEASE_MS,
      witnessRule: DEFAULT_WITNESS_RULE,
      outcomePolicy: FULL_PRICE,
    },
    clock: new FakeClock(now),
  };
}

/** Each row as it stands, and each application's sum: what the ledger has is what is computed. */
async function assertExplained(ledger: Ledger, now: number): Promise<void> {
  const deps = depsOn(ledger, now);
  for (const row of await allCharges(ledger)) {
    const charge = must(await ledger.explanations.charge(row.project, row.id), 'its own row');
    const told = must(await readChargeExplanation(deps, row.project, charge), 'explained');
    // What evidence said at an earlier time isn't kept: a superseded row may be told otherwise.
    if (told.standing === 'superseded') continue;
    assert.equal(told.verdict.recomputed, row.amount, `${row.id}: ${told.verdict.message}`);
    const shown = told.containers[0]?.explained.lines[0];
    if (told.standing !== 'in-force') continue;
    assert.deepEqual(shown?.differences, []);
    assert.equal(shown?.arithmetic?.amount, row.amount, 'the arithmetic shown comes to it');
    const ms = shown.pieces.reduce((sum, piece) => sum + piece.quantity.containerMs, 0n);
    assert.equal(ms, row.quantity.containerMs, 'the pieces shown are the whole line');
  }
  for (const project of await ledger.ledgerReader.projects()) {
    const page = await ledger.ledgerReader.applications(project, { limit: 99 });
    for (const application of page.applications) {
      const read = readApplicationExplanation(deps, project, application, { limit: 50 });
      const { verdict } = must(await read, 'its own application');
      assert.equal(verdict.recomputed, application.charged, verdict.message);
      assert.ok(verdict.equal, verdict.message);
    }
  }
}

test('whatever happened, every charge is explained to the unit', async () => {
  await fc.assert(
    fc.asyncProperty(historiesOf(fc.constant(undefined)), async ({ facts, evidence }) => {
      await using ledger = await openLedger({ file: ':memory:' });
      await announceSteps(ledger);
      const settler = settlerOf(meteringStores(ledger));
      const half = Math.floor(facts.length / 2);
      const middle = T0 + SPAN_MS / 2;
      await ledger.journalWriter.record(journalBatch({ facts: facts.slice(0, half) }), middle);
      await settleAll(settler, middle);
      await assertExplained(ledger, middle);
      const rest = journalBatch({ facts: facts.slice(half), evidence });
      await ledger.journalWriter.record(rest, END);
      await settleAll(settler, END + LEASE_MS);
      await assertExplained(ledger, END + LEASE_MS);
    }),
    { numRuns: 15 },
  );
});
