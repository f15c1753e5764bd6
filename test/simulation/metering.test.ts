import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tariffOf } from '../../services/metering/config.ts';
import { Settler } from '../../services/metering/ledger/settler.ts';
import type {
  ApplicationFact,
  ContainerFact,
  Evidence,
  JournalFact,
} from '../../shared/contracts/container-fact.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { crashingStores, SimulatedCrash } from '../support/crashing-stores.ts';
import { applicationFact, containerFact, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  allCharges,
  meteringOptions,
  meteringStores,
  netCharges,
} from '../support/metering-run.ts';

const SPAN_MS = 4 * HOUR_MS;
const END = T0 + SPAN_MS + HOUR_MS;
const LEASE_MS = 10 * MINUTE_MS;

/** A few containers of a few applications: seen whole, cut short, resized, contradictory, repeated. */
const at = fc.integer({ min: 0, max: SPAN_MS }).map((ms) => T0 + ms);
const who = fc.record({
  container: fc.constantFrom('c1', 'c2', 'c3'),
  witness: fc.constantFrom('event-log', 'yarn'),
});
const resources = fc.record({
  millicores: fc.constantFrom(0, 500, 1_000, 3_333),
  memoryMib: fc.constantFrom(0, 1, 1_025),
  gpus: fc.constantFrom(0, 0, 1),
});
const containerFacts: fc.Arbitrary<ContainerFact> = fc
  .record({
    kind: fc.constantFrom('container-started', 'container-resized', 'container-stopped'),
    at,
    who,
    resources,
    salt: fc.nat(1),
  })
  .map(({ kind, at: when, who: { container, witness }, resources: vector, salt }) =>
    containerFact(kind as ContainerFact['kind'], when, {
      id: `${witness}/${container}/${kind}/${when}/${JSON.stringify(vector)}/${salt}`,
      container,
      witness: witness as ContainerFact['witness'],
      application: container === 'c3' ? 'app-2' : 'app-1',
      resources: vector,
    }),
  );
const applicationFacts: fc.Arbitrary<ApplicationFact> = fc
  .record({
    kind: fc.constantFrom('application-seen', 'application-seen', 'application-ended'),
    at,
    application: fc.constantFrom('app-1', 'app-2'),
    rule: fc.nat(2),
  })
  .map(({ kind, at: when, application, rule }) =>
    applicationFact(kind as ApplicationFact['kind'], when, {
      id: `${application}/${kind}/${when}/${rule}`,
      application,
      rule,
      project: `p${rule}` as ProjectId,
      tags: { rule: `${rule}` },
    }),
  );
const evidences: fc.Arbitrary<Evidence> = fc
  .record({ container: fc.constantFrom('c1', 'c2', 'c3'), until: at })
  .map((one) => ({ cluster: 'yarn-1', ...one }));

const histories = fc.record({
  facts: fc.array(fc.oneof({ weight: 4, arbitrary: containerFacts }, applicationFacts), {
    maxLength: 24,
  }),
  evidence: fc.array(evidences, { maxLength: 5 }),
});

async function announceSteps(ledger: Ledger): Promise<void> {
  for (const [index, step] of [1_000, 1_050, 1_150, 1_100].entries()) {
    const start = T0 + index * 47 * MINUTE_MS;
    await ledger.priceWriter.announce(
      {
        id: `${start}`,
        pool: 'default',
        step,
        start,
        end: undefined,
        ruleVersion: 'test',
        reason: 'load',
        inputs: '{}',
      },
      T0,
    );
  }
}

const tariff = tariffOf(meteringOptions());

function settlerOf(stores: ReturnType<typeof meteringStores>): Settler {
  return new Settler(stores, {
    tariff,
    poolOf: () => 'default',
    leaseMs: LEASE_MS,
    accrualIntervalMs: MINUTE_MS,
    factsMax: 7,
    containersMax: 5,
  });
}

async function settleAll(settler: Settler, now: number): Promise<void> {
  while (!(await settler.settle(now, 0)).caughtUp);
}

/** Facts at once, settled once they are all over: what every other way has to come to. */
async function settledAtOnce(
  facts: readonly JournalFact[],
  evidence: readonly Evidence[],
): Promise<string[]> {
  await using ledger = await openLedger({ file: ':memory:' });
  await announceSteps(ledger);
  await ledger.journalWriter.record(journalBatch({ facts, evidence }), END);
  await settleAll(settlerOf(meteringStores(ledger)), END + LEASE_MS);
  return netCharges(await allCharges(ledger));
}

async function assertSums(ledger: Ledger): Promise<void> {
  const rows = await allCharges(ledger);
  for (const project of await ledger.ledgerReader.projects()) {
    const balance = await ledger.ledgerReader.balance(project);
    const sum = rows
      .filter((row) => row.project === project)
      .reduce((total, row) => total + row.amount, 0n);
    assert.equal(balance?.charged, sum, 'a balance is the sum of its rows');
    const page = await ledger.ledgerReader.applications(project, { limit: 99 });
    for (const one of page.applications) {
      const own = rows
        .filter((row) => row.application === one.application)
        .reduce((total, row) => total + row.amount, 0n);
      assert.equal(one.charged, own, 'an application is the sum of its rows');
    }
    const accrued = page.applications.reduce((total, one) => total + one.accrued, 0n);
    assert.equal(balance?.accrued, accrued);
  }
}

/** Slices of the shuffled, repeated history, each with the time at which it becomes known. */
const arrivals = fc.record({
  order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  cuts: fc.array(fc.nat(30), { maxLength: 5 }),
  repeat: fc.boolean(),
});

function shuffled<T>(list: readonly T[], order: readonly number[]): T[] {
  return list
    .map((item, i) => ({ item, rank: order[i % order.length] ?? 0, i }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map(({ item }) => item);
}

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
