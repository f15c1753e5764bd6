import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Settler } from '../../services/metering/ledger/settler.ts';
import type { MeteringStores } from '../../services/metering/start.ts';
import type { JournalFact } from '../../shared/contracts/container-fact.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { must } from '../../shared/errors/assert.ts';
import type { Lease, LeaseStore } from '../../shared/stores/lease.ts';
import { shardOf } from '../../shared/stores/shard-of.ts';
import type { Ledger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { openDividedLedger } from '../support/divided-ledger.ts';
import { applicationFact, containerFact, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  announceSteps,
  assertSums,
  END,
  historiesOf,
  LEASE_MS,
  settledAtOnce,
  settlerOf,
  shuffled,
} from '../support/metering-histories.ts';
import { allCharges, meteringStores, netCharges } from '../support/metering-run.ts';

/** Facts of one container name several applications, whose own facts come whenever they like. */
const histories = historiesOf(fc.constantFrom('app-1', 'app-2', 'app-3', undefined));

const plans = fc.record({
  shards: fc.constantFrom(1, 2, 3, 5),
  order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  rounds: fc.integer({ min: 1, max: 4 }),
  /** Shards whose lease another meter takes while its holder is at work. */
  taken: fc.array(fc.nat(4), { maxLength: 4 }),
});

/** The same stores, each call of which waits for its turn. */
function inTurns(stores: MeteringStores, turns: fc.Scheduler): MeteringStores {
  const waiting = <T extends object>(store: T): T =>
    new Proxy(store, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          await turns.schedule(Promise.resolve(), String(name));
          return (await method.apply(target, args)) as unknown;
        };
      },
    });
  return {
    journal: waiting(stores.journal),
    ledger: waiting(stores.ledger),
    prices: waiting(stores.prices),
    priceFreezes: stores.priceFreezes,
    promises: waiting(stores.promises),
    grants: stores.grants,
  };
}

/** Settles until nothing is left, or the lease is another's; what others were in the way of, again. */
async function settleShard(settler: Settler, now: number, lease: Lease, shard: number) {
  for (;;) {
    try {
      if ((await settler.settle(now, shard, lease)).caughtUp) return;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'FENCED') return;
      assert.equal(error.code, 'CONFLICT');
    }
  }
}

/** The leases of all shards, and who takes them from whom. */
class Shards {
  readonly #store: LeaseStore;
  readonly #leases: Lease[] = [];
  #takeovers = 0;
  /** One after the other: two who want the same shard have it in turn. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: LeaseStore) {
    this.#store = store;
  }

  /** Under a new token: the lease before is no right to write any more. */
  take(shard: number): Promise<Lease> {
    const taking = this.#last.then(() => this.#take(shard));
    this.#last = taking;
    return taking;
  }

  async #take(shard: number): Promise<Lease> {
    const before = this.#leases[shard];
    if (before !== undefined) await this.#store.release(before);
    this.#takeovers += 1;
    const holder = `meter-${this.#takeovers}`;
    const lease = must(await this.#store.acquire(`meter/shard-${shard}`, holder, 60_000), 'lease');
    this.#leases[shard] = lease;
    return lease;
  }

  lease(shard: number): Lease {
    return must(this.#leases[shard], 'a shard has a lease');
  }
}

/** One after the other until no settlement leaves anything to any shard. */
async function settleRest(ledger: Ledger, held: Shards, now: number): Promise<void> {
  const settler = settlerOf(meteringStores(ledger));
  const shards = await ledger.ledgerWriter.shards();
  for (let again = true; again; ) {
    again = false;
    for (let shard = 0; shard < shards; shard += 1) {
      const { caughtUp } = await settler.settle(now, shard, held.lease(shard));
      again ||= !caughtUp;
    }
  }
}

test('meters that share the shards, take them from each other and wake up late charge the same', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(histories, plans, fc.scheduler(), async (history, plan, turns) => {
      const { facts, evidence } = history;
      const expected = await settledAtOnce(facts, evidence);
      await using ledger = await openDividedLedger(plan.shards, () => T0);
      await announceSteps(ledger);
      const held = new Shards(ledger.leases);
      for (let shard = 0; shard < plan.shards; shard += 1) await held.take(shard);
      const stores = meteringStores(ledger);
      const mixed = shuffled(facts, plan.order);
      const size = Math.ceil(mixed.length / plan.rounds);
      for (let round = 0; round < plan.rounds; round += 1) {
        const now = T0 + Math.floor(((round + 1) * (END - T0)) / plan.rounds);
        // Each shard's meter; the facts of this round, in the middle of it; and the takers.
        const meters = Array.from({ length: plan.shards }, (_, shard) =>
          settleShard(settlerOf(inTurns(stores, turns)), now, held.lease(shard), shard),
        );
        const arrivals = mixed.slice(round * size, (round + 1) * size).map(async (fact, i) => {
          await turns.schedule(Promise.resolve(), 'record');
          const seen = evidence.slice(i, i + 1);
          await ledger.journalWriter.record(journalBatch({ facts: [fact], evidence: seen }), now);
        });
        const takers = plan.taken.map(async (one) => {
          await turns.schedule(Promise.resolve(), 'take');
          const shard = one % plan.shards;
          taken += 1;
          const lease = await held.take(shard);
          await settleShard(settlerOf(inTurns(stores, turns)), now, lease, shard);
        });
        await turns.waitFor(Promise.all([...meters, ...arrivals, ...takers]));
      }
      await ledger.journalWriter.record(journalBatch({ evidence }), END);
      await settleRest(ledger, held, END + LEASE_MS);
      assert.deepEqual(netCharges(await allCharges(ledger)), expected);
      await assertSums(ledger);
    }),
    { numRuns: 40 },
  );
  assert.ok(taken > 0);
});

/** An application of each of two shards. */
function applicationsApart(): [string, string] {
  const names = Array.from({ length: 50 }, (_, n) => `app-${n}`);
  const of = (shard: number): string =>
    must(
      names.find((application) => shardOf({ cluster: 'yarn-1', application }, 2) === shard),
      'an application of the shard',
    );
  return [of(0), of(1)];
}

test('a container of another shard is not charged to what its application was when that moved', async () => {
  const [first, payer] = applicationsApart();
  const named = (rule: number) =>
    applicationFact('application-seen', T0, {
      ...{ id: `${payer}/${rule}`, application: payer, rule, project: `p${rule}` as ProjectId },
    });
  // Its first fact, and so its shard, is one application's; its earliest start is the other's.
  const container = [
    containerFact('container-started', T0 + 9, { id: '1', application: first }),
    containerFact('container-started', T0, { id: '2', application: payer }),
    containerFact('container-stopped', T0 + HOUR_MS, { id: '3', application: payer }),
  ];
  const expected = await settledAtOnce([...container, named(2), named(1)], []);
  await using ledger = await openDividedLedger(2, () => T0);
  await announceSteps(ledger);
  const held = new Shards(ledger.leases);
  for (const shard of [0, 1]) await held.take(shard);
  const tell = (facts: readonly JournalFact[]) =>
    ledger.journalWriter.record(journalBatch({ facts }), T0);
  await tell([named(2)]);
  await settleRest(ledger, held, END);
  await tell(container);
  const stores = meteringStores(ledger);
  const slow = settlerOf({
    ...stores,
    ledger: new Proxy(stores.ledger, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          if (name === 'settle') {
            // It has read; meanwhile the payer's project changes, and its shard settles that.
            await tell([named(1)]);
            await settlerOf(stores).settle(END, 1, held.lease(1));
          }
          return (await method.apply(target, args)) as unknown;
        };
      },
    }),
  });
  await assert.rejects(slow.settle(END, 0, held.lease(0)), { code: 'CONFLICT' });
  await settleRest(ledger, held, END + LEASE_MS);
  assert.deepEqual(netCharges(await allCharges(ledger)), expected);
  assert.match(expected.join(), /"p1"/);
});
