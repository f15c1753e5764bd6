import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMetering } from '../../services/metering/start.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import {
  openPostgresLeaseStore,
  openPostgresLedger,
} from '../../shared/stores/sql/open-postgres-ledger.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { FakeClock } from '../support/fake-clock.ts';
import {
  allCharges,
  meteringOptions,
  meteringStores,
  netCharges,
} from '../support/metering-run.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import {
  balancesOf,
  NOW,
  platform,
  record,
  text,
  undisturbed,
} from './support/metered-platform.ts';
import { freshSchema, RETRY } from './support/postgres-schema.ts';

let server: PostgresqlServer;

before(async () => {
  server = await startPostgresql();
});
after(async () => server?.[Symbol.asyncDispose]());

/** The same writer; counts settlements, and how many are on the way at once. */
function watched(writer: LedgerWriter, seen: { settlements: number; now: number; most: number }) {
  return new Proxy(writer, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        if (name !== 'settle') return (await method.apply(target, args)) as unknown;
        seen.settlements += 1;
        seen.now += 1;
        seen.most = Math.max(seen.most, seen.now);
        try {
          return (await method.apply(target, args)) as unknown;
        } finally {
          seen.now -= 1;
        }
      };
    },
  });
}

/** Facts of a platform, settled by so many meters that share the shards; in this process. */
async function settledBy(meters: number) {
  const config = await freshSchema(server, { poolSize: 8 });
  let retries = 0;
  const random = (): number => {
    retries += 1;
    return Math.random();
  };
  await using ledger = await openPostgresLedger(config, { ...RETRY, random });
  await using leases = await openPostgresLeaseStore(config);
  const seen = { settlements: 0, now: 0, most: 0 };
  const clock = new FakeClock(NOW);
  const options = { ...meteringOptions(), meterLeaseMs: 60_000, settleIntervalMs: 86_400_000 };
  await using resources = new AsyncDisposableStack();
  const started = [];
  for (let n = 0; n < meters; n += 1) {
    const metering = await startMetering({
      ...{ config: options, clock, logger: silentLogger, metrics: new Metrics() },
      stores: { ...meteringStores(ledger), ledger: watched(ledger.ledgerWriter, seen) },
      leases: { store: leases, holder: `meter-${n}` },
    });
    started.push(resources.use(metering));
    await metering.settleNow();
  }
  // Each gives back what it has too much of, and then takes what is free.
  for (let round = 0; round < 2; round += 1) {
    await clock.advance(21_000);
    for (const metering of started) await metering.settleNow();
  }
  await record(ledger, platform());
  Object.assign(seen, { settlements: 0, most: 0 });
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await Promise.all(started.map((metering) => metering.settleNow()));
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const charges = await allCharges(ledger);
  const figures = [
    `${meters} meters: ${(seen.settlements / seconds).toFixed(1)} settlements/s`,
    `${Math.round(charges.length / seconds)} rows/s`,
    `${((user + system) / charges.length).toFixed(0)} µs of CPU a row`,
    `${seen.most} settlements at once, ${retries} done again`,
  ].join(', ');
  const sums = (await balancesOf(ledger)).map(({ asOf: _, ...sum }) => sum);
  return { net: netCharges(charges), balances: sums, most: seen.most, figures };
}

test('meters that settle different shards at once charge what one does', async (t) => {
  const expected = await undisturbed();
  for (const meters of [1, 2]) {
    const { net, balances, most, figures } = await settledBy(meters);
    t.diagnostic(figures);
    assert.equal(most, meters, 'settlements run at the same time');
    assert.deepEqual(net, expected.net);
    const sums = (JSON.parse(expected.balances) as { asOf?: number }[]).map(
      ({ asOf: _, ...sum }) => sum,
    );
    assert.equal(text(balances), text(sums));
  }
});
