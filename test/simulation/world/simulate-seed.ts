import assert from 'node:assert/strict';
import { tariffOf } from '../../../services/metering/config.ts';
import { Settler } from '../../../services/metering/ledger/settler.ts';
import type { JournalFact } from '../../../shared/contracts/container-fact.ts';
import { type Ledger, openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import { crashingStores, SimulatedCrash } from '../../support/crashing-stores.ts';
import { journalBatch } from '../../support/journal-batch.ts';
import { assertSums } from '../../support/metering-histories.ts';
import { allCharges, meteringOptions, meteringStores } from '../../support/metering-run.ts';
import { makeWorld, SPAN_MS, type World } from './make-world.ts';
import { SeededRandom } from './seeded-random.ts';
import { trueAmounts } from './true-amounts.ts';

const LEASE_MS = 10 * MINUTE_MS;
const tariff = tariffOf(meteringOptions());
/** After it nothing is under way any more: the latest of what is late, and a lease. */
const OVER_MS = SPAN_MS + 12 * HOUR_MS;
const CARD = { coreSecond: 900_000n, gibSecond: 100_000n, gpuSecond: 20_000_000n };

function settlerOn(ledger: Ledger, crash?: { readonly call: number; readonly after: boolean }) {
  const stores = meteringStores(ledger);
  return new Settler(crash === undefined ? stores : crashingStores(stores, crash), {
    tariff,
    poolOf: () => 'default',
    leaseMs: LEASE_MS,
    accrualIntervalMs: MINUTE_MS,
    factsMax: 7,
    containersMax: 5,
  });
}

/** To the end, or to a crash. */
async function settle(settler: Settler, now: Instant): Promise<void> {
  try {
    while (!(await settler.settle(now, 0)).caughtUp);
  } catch (error) {
    if (!(error instanceof SimulatedCrash)) throw error;
  }
}

async function announce(ledger: Ledger, { steps, start }: World): Promise<void> {
  for (const { start: from, step } of steps) {
    const epoch = { id: `${from}`, pool: 'default', step, start: from, end: undefined };
    const why = { ruleVersion: 'simulation', reason: 'load', inputs: '{}' };
    await ledger.priceWriter.announce({ ...epoch, ...why }, start - HOUR_MS);
  }
}

/** What is charged by container, hour and step; nothing where it comes to nothing. */
async function charged(ledger: Ledger): Promise<Map<string, bigint>> {
  const sums = new Map<string, bigint>();
  for (const { container, hour, step, project, amount } of await allCharges(ledger)) {
    const key = `${container} ${project} ${hour}/${step}`;
    sums.set(key, (sums.get(key) ?? 0n) + amount);
  }
  return new Map([...sums].filter(([, sum]) => sum !== 0n).sort());
}

function truth({ containers, applications, steps }: World): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { container, application, life } of containers) {
    const payer = applications.find((one) => one.application === application)?.project;
    for (const [line, amount] of trueAmounts(life, steps, CARD)) {
      sums.set(`${container} ${payer} ${line}`, amount);
    }
  }
  return new Map([...sums].sort());
}

/** One world from its first fact to its last, metered through crashes and restarts. */
export async function simulateSeed(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const world = makeWorld(random);
  await using ledger = await openLedger({ file: ':memory:' });
  await announce(ledger, world);
  const over = world.start + OVER_MS;
  let known = Number.NEGATIVE_INFINITY;
  for (let now = world.start; now < over; ) {
    now = Math.min(over, now + random.int(1, 90) * MINUTE_MS);
    const isNew = ({ knownAt }: { readonly knownAt: Instant }): boolean =>
      knownAt > known && (knownAt <= now || now === over);
    const facts: JournalFact[] = world.tellings.filter(isNew).map(({ fact }) => fact);
    const evidence = world.evidence.filter(isNew).map(({ seen }) => seen);
    await ledger.journalWriter.record(
      journalBatch({ facts: random.shuffled(facts), evidence }),
      now,
    );
    known = now;
    const crash = { call: random.int(0, 20), after: random.chance(0.5) };
    await settle(settlerOn(ledger, random.chance(0.4) ? crash : undefined), now);
  }
  await settle(settlerOn(ledger), over + 2 * LEASE_MS);
  assert.deepEqual(await charged(ledger), truth(world));
  await assertSums(ledger);
}
