import assert from 'node:assert/strict';
import fc from 'fast-check';
import { tariffOf } from '../../services/metering/config.ts';
import { Settler } from '../../services/metering/ledger/settler.ts';
import type {
  ApplicationFact,
  ContainerFact,
  Evidence,
  JournalFact,
} from '../../shared/contracts/container-fact.ts';
import { QUOTE_TAG } from '../../shared/price/price-promise.ts';
import type { Tariffs } from '../../shared/rating/tariff.ts';
import { type Ledger, openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { applicationFact, containerFact, T0 } from './fact-builders.ts';
import { journalBatch } from './journal-batch.ts';
import { allCharges, meteringOptions, meteringStores, netCharges } from './metering-run.ts';

export const SPAN_MS = 4 * HOUR_MS;
export const END = T0 + SPAN_MS + HOUR_MS;
export const LEASE_MS = 10 * MINUTE_MS;

/** Which application a fact names; undefined: its container's own. */
type Applications = fc.Arbitrary<string | undefined>;

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
const containerFacts = (applications: Applications): fc.Arbitrary<ContainerFact> =>
  fc
    .record({
      application: applications,
      kind: fc.constantFrom('container-started', 'container-resized', 'container-stopped'),
      at,
      who,
      resources,
      salt: fc.nat(1),
    })
    .map(({ application, kind, at: when, who: { container, witness }, resources: vector, salt }) =>
      containerFact(kind as ContainerFact['kind'], when, {
        id: `${witness}/${container}/${kind}/${when}/${JSON.stringify(vector)}/${application ?? ''}${salt}`,
        container,
        witness: witness as ContainerFact['witness'],
        application: application ?? (container === 'c3' ? 'app-2' : 'app-1'),
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
      // Rule 1 names a price that its project was promised, rule 2 one that another was.
      tags: { rule: `${rule}`, ...(rule > 0 ? { [QUOTE_TAG]: 'q1' } : {}) },
    }),
  );
const evidences: fc.Arbitrary<Evidence> = fc
  .record({ container: fc.constantFrom('c1', 'c2', 'c3'), until: at })
  .map((one) => ({ cluster: 'yarn-1', ...one }));

/** What happened, in no order. */
export const historiesOf = (applications: Applications) =>
  fc.record({
    facts: fc.array(
      fc.oneof({ weight: 4, arbitrary: containerFacts(applications) }, applicationFacts),
      { maxLength: 24 },
    ),
    evidence: fc.array(evidences, { maxLength: 5 }),
  });

/** Prices that rise and fall, and what project p1 was promised over a part of them. */
export async function announceSteps(ledger: Ledger): Promise<void> {
  const promise = { id: 'q1', project: 'p1' as ProjectId, pool: 'default', step: 1_050 };
  const span = { start: T0 + 50 * MINUTE_MS, end: T0 + 155 * MINUTE_MS };
  await ledger.quotes.keep({ ...promise, ...span, application: 'app-1', quotedBy: 'test' }, 1);
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

export function settlerOf(
  stores: ReturnType<typeof meteringStores>,
  ofCards: Tariffs = tariff,
): Settler {
  return new Settler(stores, {
    tariff: ofCards,
    poolOf: () => 'default',
    leaseMs: LEASE_MS,
    accrualIntervalMs: MINUTE_MS,
    factsMax: 7,
    containersMax: 5,
  });
}

export async function settleAll(settler: Settler, now: number): Promise<void> {
  while (!(await settler.settle(now, 0)).caughtUp);
}

/** Facts at once, settled once they are all over: what every other way has to come to. */
export async function settledAtOnce(
  facts: readonly JournalFact[],
  evidence: readonly Evidence[],
): Promise<string[]> {
  await using ledger = await openLedger({ file: ':memory:' });
  await announceSteps(ledger);
  await ledger.journalWriter.record(journalBatch({ facts, evidence }), END);
  await settleAll(settlerOf(meteringStores(ledger)), END + LEASE_MS);
  return netCharges(await allCharges(ledger));
}

export async function assertSums(ledger: Ledger): Promise<void> {
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

export function shuffled<T>(list: readonly T[], order: readonly number[]): T[] {
  return list
    .map((item, i) => ({ item, rank: order[i % order.length] ?? 0, i }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map(({ item }) => item);
}
