import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import { openSqliteLeaseStore } from '../../shared/stores/sql/lease-store.ts';
import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics, printMetrics } from '../../shared/telemetry/metrics.ts';
import { applicationFact, containerFact, T0 } from '../../test/support/fact-builders.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { allCharges, meteringOptions, meteringStores } from '../../test/support/metering-run.ts';
import { startMetering } from './start.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meter-lease-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FACTS = [
  containerFact('container-started', T0),
  applicationFact('application-seen', T0),
  containerFact('container-stopped', T0 + 60_000),
];

/** A ledger's file, a lease store on it, and meters that share both. */
async function shared() {
  const file = join(folder, 'ledger.db');
  const clock = new FakeClock(T0 + 120_000);
  const ledger = await openLedger({ file });
  const leases = await openSqliteLeaseStore({ file, clock });
  const meter = async (
    holder: string,
    over: { readonly writer?: LedgerWriter; readonly store?: LeaseStore } = {},
  ) => {
    const metrics = new Metrics();
    const metering = await startMetering({
      config: meteringOptions({ settleIntervalMs: 86_400_000 }),
      stores: { ...meteringStores(ledger), ...(over.writer && { ledger: over.writer }) },
      clock: clock as Clock,
      logger: silentLogger,
      metrics,
      random: () => 0,
      leases: { store: over.store ?? leases, holder },
    });
    return Object.assign(metering, { metrics });
  };
  return {
    clock,
    ledger,
    meter,
    tell: () =>
      ledger.journalWriter.record(
        { facts: FACTS, evidence: [], activity: [], checkpoints: [] },
        clock.now(),
      ),
    [Symbol.asyncDispose]: async () => {
      await leases[Symbol.asyncDispose]();
      await ledger[Symbol.asyncDispose]();
    },
  };
}

test('of two meters one works, and the other takes over when it stops', async () => {
  await using world = await shared();
  const first = await world.meter('a');
  await first.settleNow();
  const second = await world.meter('b');
  await world.tell();
  await second.settleNow();
  assert.equal((await allCharges(world.ledger)).length, 0);
  await first[Symbol.asyncDispose]();
  await second.settleNow();
  assert.equal((await allCharges(world.ledger)).length, 1);
  await second[Symbol.asyncDispose]();
});

test('one that is silent past its lease is replaced', async () => {
  await using world = await shared();
  await using first = await world.meter('a');
  await first.settleNow();
  await using second = await world.meter('b');
  await world.tell();
  await world.clock.advance(14_000);
  await second.settleNow();
  assert.equal((await allCharges(world.ledger)).length, 0);
  await world.clock.advance(2_000);
  await second.settleNow();
  assert.equal((await allCharges(world.ledger)).length, 1);
});

test('one that slept past its lease in the middle of a settlement writes nothing', async () => {
  await using world = await shared();
  const asleep = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const { ledgerWriter } = world.ledger;
  const slow: LedgerWriter = {
    shards: () => ledgerWriter.shards(),
    cursor: (shard) => ledgerWriter.cursor(shard),
    due: (...asked) => ledgerWriter.due(...asked),
    fixRateCards: (...asked) => ledgerWriter.fixRateCards(...asked),
    closedUntil: () => ledgerWriter.closedUntil(),
    inForce: (...asked) => ledgerWriter.inForce(...asked),
    applications: (asked) => ledgerWriter.applications(asked),
    settle: async (settlement, fence) => {
      reached.resolve();
      await asleep.promise;
      await ledgerWriter.settle(settlement, fence);
    },
    async [Symbol.asyncDispose]() {},
  };
  await world.tell();
  await using first = await world.meter('a', { writer: slow });
  const sleeping = first.settleNow();
  await reached.promise;
  await world.clock.advance(20_000);
  await using second = await world.meter('b');
  await second.settleNow();
  const before = await allCharges(world.ledger);
  assert.equal(before.length, 1);
  asleep.resolve();
  await sleeping;
  assert.deepEqual(await allCharges(world.ledger), before);
  assert.match(printMetrics([first.metrics.snapshot()]), /tollgate_metering_fenced_total 1/);
});
