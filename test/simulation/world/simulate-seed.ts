import assert from 'node:assert/strict';
import { tariffOf } from '../../../services/metering/config.ts';
import { Settler } from '../../../services/metering/ledger/settler.ts';
import type { MeteringStores } from '../../../services/metering/start.ts';
import type { JournalFact } from '../../../shared/contracts/container-fact.ts';
import type { Ledger } from '../../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import { crashingStores, SimulatedCrash } from '../../support/crashing-stores.ts';
import { journalBatch } from '../../support/journal-batch.ts';
import { assertSums } from '../../support/metering-histories.ts';
import { allCharges, meteringOptions, meteringStores } from '../../support/metering-run.ts';
import { openBlankLedger } from '../../support/open-blank-ledger.ts';
import { makeMoney } from './make-money.ts';
import { makeWorld, SPAN_MS, type World, withoutApplications } from './make-world.ts';
import { PlayedBooks } from './play-books.ts';
import { PlayedMoney, type Tally } from './play-money.ts';
import { SeededRandom } from './seeded-random.ts';
import { trueAmounts } from './true-amounts.ts';

const LEASE_MS = 10 * MINUTE_MS;
const tariff = tariffOf(meteringOptions());
/** After it nothing is under way any more: the latest of what is late, and a lease. */
const OVER_MS = SPAN_MS + 12 * HOUR_MS;
/** Most of what is told is told by then. */
const BUSY_MS = SPAN_MS + 3 * HOUR_MS;
const CARD = { coreSecond: 900_000n, gibSecond: 100_000n, gpuSecond: 20_000_000n };

function storesOf(
  ledger: Ledger,
  crash?: { readonly call: number; readonly after: boolean },
): MeteringStores {
  const stores = meteringStores(ledger);
  return crash === undefined ? stores : crashingStores(stores, crash);
}

function settlerOn(stores: MeteringStores): Settler {
  return new Settler(stores, {
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

/** Grants are kept as a meter does after it settled. @returns whether all that is due is written */
async function keepGrants(settlerStores: MeteringStores, now: Instant): Promise<boolean> {
  try {
    while ((await settlerStores.grants.keepDue(now, 2)) === 2);
    return true;
  } catch (error) {
    if (!(error instanceof SimulatedCrash)) throw error;
    return false;
  }
}

/**
 * One world from its first fact to its last: metered through crashes and restarts, while clients are
 * given credits, hold them, die and lose answers, and somebody closes the month.
 */
export async function simulateSeed(seed: number): Promise<Tally> {
  const random = new SeededRandom(seed);
  const whole = makeWorld(random);
  // Of its own, so that money changes nothing of what happens.
  const fortune = new SeededRandom(seed ^ 0x5eed);
  await using ledger = openBlankLedger();
  const tally = { held: 0, refused: 0, rollovers: 0, expiries: 0, closings: 0, corrections: 0 };
  const plan = makeMoney(fortune, whole, CARD);
  const money = new PlayedMoney(ledger, { money: plan, random: fortune, tally });
  const books = new PlayedBooks(ledger, tally);
  await announce(ledger, whole);
  // Some of what is held for has begun by then, by clocks that are behind or because its client was late.
  const opening = whole.start + fortune.int(0, 40) * MINUTE_MS;
  await money.act(opening);
  const world = withoutApplications(whole, (application) => money.mayRun(application));
  const over = world.start + OVER_MS;
  let known = Number.NEGATIVE_INFINITY;
  for (let now = opening; now < over; ) {
    // Later on little still comes.
    const stepMax = now < world.start + BUSY_MS ? 90 : 240;
    now = Math.min(over, now + random.int(1, stepMax) * MINUTE_MS);
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
    const stores = storesOf(ledger, random.chance(0.4) ? crash : undefined);
    await settle(settlerOn(stores), now);
    await money.act(now);
    await money.check(now);
    const isKept = fortune.chance(0.5) && (await keepGrants(stores, now));
    if (isKept && fortune.chance(0.1)) await money.checkGrants(now);
    if (fortune.chance(0.3)) await books.close(now);
  }
  const end = over + 2 * LEASE_MS;
  await settle(settlerOn(storesOf(ledger)), end);
  await keepGrants(storesOf(ledger), end);
  assert.deepEqual(await charged(ledger), truth(world));
  await assertSums(ledger);
  await money.end(end);
  await books.check();
  return tally;
}
