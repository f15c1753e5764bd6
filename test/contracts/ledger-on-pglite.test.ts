import { systemClock } from '../../shared/runtime/clock.ts';
import { initSchema } from '../../shared/stores/sql/init-postgres.ts';
import {
  checkpointsOnPool,
  leasesOnPool,
  ledgerOnPool,
} from '../../shared/stores/sql/open-postgres-ledger.ts';
import { PostgresQuarantine } from '../../shared/stores/sql/postgres-quarantine.ts';
import { freshSchema, pglitePool } from '../support/pglite-pool.ts';
import { checkpointSuite } from './checkpoint-suite.ts';
import { fenceSuite } from './fence-suite.ts';
import { grantsSuite } from './grants-suite.ts';
import { journalSuite } from './journal-suite.ts';
import { leaseSuite } from './lease-suite.ts';
import { ledgerReaderSuite } from './ledger-reader-suite.ts';
import { ledgerWriterSuite } from './ledger-writer-suite.ts';
import { priceBookSuite } from './price-book-suite.ts';
import { quarantineSuite } from './quarantine-suite.ts';

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
ledgerWriterSuite('pglite', open);
ledgerReaderSuite('pglite', open);
quarantineSuite('pglite', async () => new PostgresQuarantine(await freshPool()));
checkpointSuite('pglite', async (clock) => checkpointsOnPool(await freshPool(), { clock }));
leaseSuite('pglite', async () => ({ store: leasesOnPool(await freshPool()), pass }));
fenceSuite('pglite', async () => {
  const pool = await freshPool();
  return { ledger: ledgerOnPool(pool, deps), leases: leasesOnPool(pool) };
});
