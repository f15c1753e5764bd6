import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../shared/runtime/clock.ts';
import { checkSchema } from '../../shared/stores/sql/check-postgres.ts';
import { initSchema } from '../../shared/stores/sql/init-postgres.ts';
import {
  checkpointsOnPool,
  leasesOnPool,
  ledgerOnPool,
} from '../../shared/stores/sql/open-postgres-ledger.ts';
import type { Connections } from '../../shared/stores/sql/postgres-pool.ts';
import { PostgresQuarantine } from '../../shared/stores/sql/postgres-quarantine.ts';
import { tokensOnPool } from '../../shared/stores/sql/token-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { freshSchema, pglitePool } from '../support/pglite-pool.ts';
import { applicationWatchSuite } from './application-watch-suite.ts';
import { checkpointFenceSuite, checkpointSuite } from './checkpoint-suite.ts';
import { explanationReaderSuite } from './explanation-reader-suite.ts';
import { fenceSuite } from './fence-suite.ts';
import { findingsSuite } from './findings-suite.ts';
import { grantTermsSuite } from './grant-terms-suite.ts';
import { grantsSuite } from './grants-suite.ts';
import { journalSuite } from './journal-suite.ts';
import { leaseSuite } from './lease-suite.ts';
import { ledgerReaderSuite } from './ledger-reader-suite.ts';
import { ledgerWriterSuite } from './ledger-writer-suite.ts';
import { levelsSuite } from './levels-suite.ts';
import { periodSuite } from './period-suite.ts';
import { priceBookSuite } from './price-book-suite.ts';
import { priceFreezesSuite } from './price-freezes-suite.ts';
import { quarantineSuite } from './quarantine-suite.ts';
import { quotesSuite } from './quotes-suite.ts';
import { replayReaderSuite } from './replay-reader-suite.ts';
import { reservationsSuite } from './reservations-suite.ts';
import { spendingSuite } from './spending-suite.ts';
import { stopOrdersSuite } from './stop-orders-suite.ts';
import { tokenStoreSuite } from './token-store-suite.ts';

const deps = { clock: systemClock, random: Math.random };

async function freshPool() {
  const schema = freshSchema();
  const pool = pglitePool(schema);
  await initSchema(pool, { schema, clock: systemClock });
  return pool;
}

const open = async () => ledgerOnPool(await freshPool(), deps);
const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms + 1));

journalSuite('pglite', open);
priceBookSuite('pglite', open);
grantsSuite('pglite', open);
grantTermsSuite('pglite', open);
levelsSuite('pglite', open);
ledgerWriterSuite('pglite', open);
findingsSuite('pglite', open);
ledgerReaderSuite('pglite', open);
stopOrdersSuite('pglite', open);
reservationsSuite('pglite', open);
priceFreezesSuite('pglite', open);
explanationReaderSuite('pglite', open);
replayReaderSuite('pglite', open);
quotesSuite('pglite', open);
periodSuite('pglite', open);
spendingSuite('pglite', open);
applicationWatchSuite('pglite', open);
quarantineSuite('pglite', async () => new PostgresQuarantine(await freshPool()));
checkpointSuite('pglite', async (clock) => checkpointsOnPool(await freshPool(), { clock }));
checkpointFenceSuite('pglite', async () => {
  const pool = await freshPool();
  const checkpoints = checkpointsOnPool(pool, { clock: systemClock });
  return { checkpoints, leases: leasesOnPool(pool) };
});
tokenStoreSuite('pglite', async () => tokensOnPool(await freshPool()));
leaseSuite('pglite', async () => ({ store: leasesOnPool(await freshPool()), pass }));
fenceSuite('pglite', async () => {
  const pool = await freshPool();
  return { ledger: ledgerOnPool(pool, deps), leases: leasesOnPool(pool) };
});

async function tables(pool: Connections, schema: string): Promise<string[]> {
  const text = `SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace
    AND relkind IN ('r', 'p') ORDER BY 1`;
  const rows = await pool.read<{ relname: string }>({ name: 'tables', text }, [schema]);
  return rows.map(({ relname }) => relname);
}

test('a schema is made once, with its months ahead, and more of them as time goes on', async () => {
  const schema = freshSchema();
  const pool = pglitePool(schema);
  const clock = new FakeClock(Date.UTC(2026, 10, 21));
  await initSchema(pool, { schema, clock });
  const made = await tables(pool, schema);
  for (const name of ['fact', 'fact_202611', 'fact_202612', 'charge_202612', 'lease', 'refused']) {
    assert.ok(made.includes(name), name);
  }
  await initSchema(pool, { schema, clock });
  assert.deepEqual(await tables(pool, schema), made);
  await clock.advance(31 * 86_400_000);
  await initSchema(pool, { schema, clock });
  const more = (await tables(pool, schema)).filter((name) => !made.includes(name));
  assert.deepEqual(more, ['charge_202702', 'fact_202702']);
});

test('a schema is checked: that it was made, and that nothing acknowledged is lost', async () => {
  const schema = freshSchema();
  const pool = pglitePool(schema);
  await initSchema(pool, { schema, clock: new FakeClock() });
  // PGlite is no place for a ledger, which is what the check of durability is for.
  await assert.rejects(checkSchema(pool, schema), {
    code: 'STORE_MISCONFIGURED',
    message: /fsync is off/,
  });
});
