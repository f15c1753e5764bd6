import { Kysely, sql } from 'kysely';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import { SqlLeaseStore } from '../../shared/stores/sql/lease-store.ts';
import { sqliteEngine } from '../../shared/stores/sql/ledger-engine.ts';
import { prepareQuotaRead } from '../../shared/stores/sql/ledger-quota.ts';
import { LEDGER_SCHEMA, type LedgerTables } from '../../shared/stores/sql/ledger-schema.ts';
import { type Ledger, ledgerPorts } from '../../shared/stores/sql/open-ledger.ts';
import { openSqlite } from '../../shared/stores/sql/open-sqlite.ts';
import { sqliteDialect } from '../../shared/stores/sql/sqlite-dialect.ts';

/**
 * A ledger in memory that is divided as one on PostgreSQL is, with its leases. On one connection, so
 * that transactions come one after the other whatever their callers do at once.
 */
export async function openDividedLedger(
  shards: number,
  now: () => number,
): Promise<Ledger & { readonly leases: LeaseStore }> {
  const database = openSqlite({ file: ':memory:', schema: LEDGER_SCHEMA });
  const db = new Kysely<LedgerTables>({ dialect: sqliteDialect(database, ':memory:') });
  for (let shard = 1; shard < shards; shard += 1) {
    await db.insertInto('shard').values({ shard, cursor: 0, as_of: 0 }).execute();
  }
  const leases = db as unknown as Kysely<Pick<LedgerTables, 'lease'>>;
  return {
    ...ledgerPorts(sqliteEngine(db), prepareQuotaRead(database)),
    leases: new SqlLeaseStore({ db: leases, now: () => sql.lit(now()) }),
    [Symbol.asyncDispose]: async () => {
      await db.destroy();
      if (database.isOpen) database.close();
    },
  };
}
