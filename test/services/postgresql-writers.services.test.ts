import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Kysely, PostgresDialect } from 'kysely';
import { Client } from 'pg';
import { must } from '../../shared/errors/assert.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { PostgresConfig } from '../../shared/stores/sql/config.ts';
import type { LedgerLock } from '../../shared/stores/sql/ledger-engine.ts';
import type { LedgerTables } from '../../shared/stores/sql/ledger-schema.ts';
import {
  openPostgresLeaseStore,
  openPostgresLedger,
} from '../../shared/stores/sql/open-postgres-ledger.ts';
import { postgresEngine } from '../../shared/stores/sql/postgres-engine.ts';
import { openPostgresPool } from '../../shared/stores/sql/postgres-pool.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import { containerFact, T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
} from '../support/ledger-builders.ts';
import { allCharges, netCharges } from '../support/metering-run.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import {
  balancesOf,
  hoursOf,
  NOW,
  platform,
  projectOf,
  settleAll,
  text,
  undisturbed,
} from './support/metered-platform.ts';
import { freshSchema, RETRY } from './support/postgres-schema.ts';

let server: PostgresqlServer;

before(async () => {
  server = await startPostgresql({ settings: { deadlock_timeout: '200ms' } });
});
after(async () => server?.[Symbol.asyncDispose]());

test('two meters that settle the same projects at once charge nothing twice', async (t) => {
  const expected = await undisturbed();
  const config = await freshSchema(server);
  await using first = await openPostgresLedger(config, RETRY);
  await using second = await openPostgresLedger(config, RETRY);
  let over = false;
  const recording = (async () => {
    // Starts before their stops, so that much is inferred, and corrected afterwards.
    const facts = platform().sort((a, b) => (a.kind < b.kind ? -1 : 1));
    for (let from = 0; from < facts.length; from += 15) {
      const some = facts.slice(from, from + 15);
      // Nearly to its end, so that most hours are charged before the stop is known.
      const evidence = some.flatMap((fact) => {
        if (fact.kind !== 'container-started') return [];
        const { cluster, container, at } = fact;
        return [{ cluster, container, until: at + hoursOf(container) * HOUR_MS - MINUTE_MS }];
      });
      const batch = journalBatch({ facts: some, evidence });
      await first.journalWriter.record(batch, NOW - 1);
      // Grants meet the settlements in the same sums.
      const grant = { id: `g${from}`, project: projectOf(from), amount: 1n };
      await second.grants.grant({ ...grant, reason: '', grantedAt: NOW });
    }
  })().finally(() => {
    over = true;
  });
  const failures = await Promise.all([settleAll(first, () => over), settleAll(second, () => over)]);
  await recording;
  const charges = await allCharges(first);
  t.diagnostic(`${charges.length} rows; refused and read again: ${failures.join(' and ')} times`);
  assert.deepEqual(netCharges(charges), expected.net);
  const grants = Math.ceil(platform().length / 15 / 4);
  const ungranted = { granted: 0n, unlimited: true };
  const sums = await balancesOf(second);
  assert.equal(text(sums.map((sum) => ({ ...sum, ...ungranted }))), expected.balances);
  assert.ok(sums.filter(({ granted }) => granted >= grants - 1).length >= 4, 'no grant is lost');
});

test('settlements and grants at once lose nothing of the sums', async () => {
  const config = await freshSchema(server);
  const writers = await Promise.all([1, 2, 3].map(() => openPostgresLedger(config, RETRY)));
  const [first] = writers;
  const ledger = must(first, 'ledger');
  const applications = [anApplication()];
  await ledger.ledgerWriter.settle(aSettlement({ applications }));
  await Promise.all(
    writers.map(async ({ ledgerWriter, grants }, w) => {
      for (let i = 0; i < 40; i += 1) {
        // One that the others settle too, and one of its own.
        const charges = [`shared-${i}`, `own-${w}-${i}`].map((digest) =>
          aCharge({ digest, amount: 1n }),
        );
        await ledgerWriter.settle(aSettlement({ charges, applications }));
        const grant = { id: `g-${w}-${i}`, project: ETL, amount: 1n, reason: '', grantedAt: T0 };
        await grants.grant(grant);
      }
    }),
  );
  const balance = await ledger.ledgerReader.balance(ETL);
  assert.deepEqual([balance?.charged, balance?.granted], [160n, 120n]);
  const cost = await ledger.ledgerReader.application(ETL, 'yarn-1', 'app-1');
  assert.equal(cost?.charged, 160n);
  for (const writer of writers) await writer[Symbol.asyncDispose]();
});

test('evidence and the settlement that closes a container never miss each other', async () => {
  const config = await freshSchema(server);
  await using meter = await openPostgresLedger(config, RETRY);
  await using collector = await openPostgresLedger(config, RETRY);
  for (let i = 0; i < 60; i += 1) {
    const ref = { cluster: 'yarn-1', container: `c${i}` };
    const closed = aContainer({
      ...{ ...ref, state: 'ended', coverage: 'inferred', nextAt: undefined },
    });
    const settlement = aSettlement({ containers: [closed], applications: [anApplication()] });
    const evidence = [{ ...ref, until: closed.witnessedUntil + 1 }];
    await Promise.all([
      meter.ledgerWriter.settle(settlement),
      collector.journalWriter.record(journalBatch({ evidence }), T0),
    ]);
  }
  assert.equal((await meter.ledgerWriter.due(T0, 99, 0)).length, 60);
});

test('facts become visible in the order of seq, whoever writes them', async () => {
  const config = await freshSchema(server, { poolSize: 8 });
  const writers = await Promise.all([1, 2, 3, 4].map(() => openPostgresLedger(config, RETRY)));
  await using reader = await openPostgresLedger(config, RETRY);
  let done = false;
  const seen: string[] = [];
  const reading = (async () => {
    let cursor = 0;
    for (let last = false; ; last = done) {
      const facts = await reader.journalReader.factsAfter(cursor, 1_000);
      seen.push(...facts.map(({ fact }) => fact.id));
      cursor = facts.at(-1)?.seq ?? cursor;
      if (last && facts.length === 0) return;
    }
  })();
  await Promise.all(
    writers.flatMap(({ journalWriter }, w) =>
      [0, 1].map(async (lane) => {
        for (let round = 0; round < 40; round += 1) {
          // Long and short transactions, so that a later one would be done earlier.
          const facts = Array.from({ length: round % 2 === 0 ? 150 : 1 }, (_, i) =>
            containerFact('container-started', T0, { container: `${w}/${lane}/${round}/${i}` }),
          );
          await journalWriter.record(journalBatch({ facts }), T0);
        }
      }),
    ),
  );
  done = true;
  await reading;
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen.length, 4 * 2 * 20 * 151, 'a reader that follows seq misses none');
  for (const writer of writers) await writer[Symbol.asyncDispose]();
});

test('transactions that serialization or a deadlock refuses are done again', async (t) => {
  const config = await freshSchema(server, { poolSize: 8 });
  let retries = 0;
  const random = (): number => {
    retries += 1;
    return Math.random();
  };
  await using ledger = await openPostgresLedger(config, { clock: systemClock, random });
  const announced = await Promise.allSettled(
    Array.from({ length: 24 }, (_, i) =>
      ledger.priceWriter.announce(
        {
          ...{ id: `e${i}`, pool: 'cpu', step: 1_000, start: T0 + i, end: undefined },
          ...{ ruleVersion: 'v', reason: 'r', inputs: '{}' },
        },
        T0,
      ),
    ),
  );
  const refused = announced.filter(({ status }) => status === 'rejected');
  for (const one of refused) assert.equal((one as PromiseRejectedResult).reason.code, 'CONFLICT');
  assert.ok(retries > 0, 'announcements at once were not serializable');
  const serializations = retries;

  const pool = openPostgresPool(config);
  const engine = postgresEngine(
    new Kysely<LedgerTables>({ dialect: new PostgresDialect({ pool }) }),
    { clock: systemClock, random },
  );
  const gate = Promise.withResolvers<void>();
  let waiting = 0;
  const both = (locks: readonly [LedgerLock, LedgerLock]) =>
    engine.transact(async (trx) => {
      await engine.lock(trx, locks[0]);
      waiting += 1;
      if (waiting === 2) gate.resolve();
      await gate.promise;
      await engine.lock(trx, locks[1]);
      return 'done';
    });
  const done = await Promise.all([both(['journal', 'shard/0']), both(['shard/0', 'journal'])]);
  assert.deepEqual(done, ['done', 'done']);
  assert.ok(retries > serializations, 'the deadlock was real');
  await pool.end();
  t.diagnostic(`${serializations} serialization failures, ${retries - serializations} deadlocks`);
});

test('price epochs announced at once never change a price already announced', async () => {
  const config = await freshSchema(server, { poolSize: 8 });
  await using ledger = await openPostgresLedger(config, RETRY);
  await using client = await session(config);
  await Promise.allSettled(
    Array.from({ length: 30 }, (_, i) =>
      ledger.priceWriter.announce(
        {
          ...{ id: `e${i}`, pool: 'cpu', step: 1_000, start: T0 + ((i * 7) % 30), end: undefined },
          ...{ ruleVersion: 'v', reason: 'r', inputs: '{}' },
        },
        T0,
      ),
    ),
  );
  // xmin tells which transaction stored a row; later starts must have been stored later.
  const { rows } = await client.query(
    'SELECT start, xmin::text::bigint AS stored FROM price_epoch ORDER BY start',
  );
  const stored = rows.map((row: { stored: string }) => Number(row.stored));
  assert.ok(stored.length > 0);
  assert.deepEqual(
    stored,
    stored.toSorted((a, b) => a - b),
  );
});

async function session(config: PostgresConfig): Promise<Client & AsyncDisposable> {
  const { url, schema, idleInTransactionTimeoutMs: idle } = config;
  const options = `-c search_path=${schema} -c idle_in_transaction_session_timeout=${idle}`;
  const client = new Client({ connectionString: url, options });
  client.on('error', () => undefined);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

test('a meter that stands still in its transaction stops nobody, and writes nothing', async (t) => {
  const config = await freshSchema(server, { idleInTransactionTimeoutMs: 1_000 });
  await using ledger = await openPostgresLedger(config, RETRY);
  // The session of a process that was stopped: its sockets are open, and it says nothing more.
  await using paused = await session(config);
  await paused.query('BEGIN');
  for (const lock of ['shard/0', 'evidence']) {
    await paused.query(
      `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/tollgate/${lock}', 0))`,
    );
  }
  await paused.query('UPDATE shard SET cursor = 99 WHERE shard = 0');
  const start = performance.now();
  await ledger.ledgerWriter.settle(aSettlement({ applications: [anApplication()], cursor: 1 }));
  const ms = performance.now() - start;
  t.diagnostic(`the others went on after ${Math.round(ms)} ms`);
  assert.ok(ms < 3 * (1_000 + 1_000));
  await assert.rejects(paused.query('COMMIT'));
  assert.equal(await ledger.ledgerWriter.cursor(0), 1);
});

test('a lease is not handed on while a settlement under it is being written', async () => {
  const config = await freshSchema(server);
  await using ledger = await openPostgresLedger(config, RETRY);
  await using leases = await openPostgresLeaseStore(config);
  await using blocker = await session(config);
  const lease = must(await leases.acquire('meter', 'a', 1), 'lease');
  await blocker.query('BEGIN');
  await blocker.query(
    `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/tollgate/shard/0', 0))`,
  );
  const charges = [aCharge({ amount: 5n })];
  const settlement = aSettlement({ charges, applications: [anApplication()], cursor: 2 });
  const order: string[] = [];
  const settling = ledger.ledgerWriter.settle(settlement, lease).then(() => order.push('settled'));
  await untilWaiting(blocker, 'advisory');
  const taking = leases.acquire('meter', 'b', 60_000).then((next) => {
    order.push(`token ${next?.token}`);
  });
  await untilWaiting(blocker, 'transactionid');
  await blocker.query('COMMIT');
  await Promise.all([settling, taking]);
  assert.equal(order.length, 2);
  assert.equal((await ledger.ledgerReader.balance(ETL))?.charged, 5n);
  const late = ledger.ledgerWriter.settle({ ...settlement, cursor: 3 }, lease);
  await assert.rejects(late, { code: 'FENCED' });
  assert.equal(await ledger.ledgerWriter.cursor(0), 2);
});

/** Until some session waits for a lock of the kind. */
async function untilWaiting(client: Client, locktype: string): Promise<void> {
  for (;;) {
    const { rows } = await client.query(
      'SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = $1',
      [locktype],
    );
    if (rows.length > 0) return;
    await wait(10);
  }
}
