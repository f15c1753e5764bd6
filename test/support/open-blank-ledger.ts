import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { sqliteEngine } from '../../shared/stores/sql/ledger-engine.ts';
import { prepareQuotaRead } from '../../shared/stores/sql/ledger-quota.ts';
import { LEDGER_SCHEMA, type LedgerTables } from '../../shared/stores/sql/ledger-schema.ts';
import { type Ledger, ledgerPorts } from '../../shared/stores/sql/open-ledger.ts';
import { openSqlite } from '../../shared/stores/sql/open-sqlite.ts';
import { sqliteDialect } from '../../shared/stores/sql/sqlite-dialect.ts';

const FILE = ':memory:';
let blank: Uint8Array | undefined;

/** A ledger in memory like any other, copied from one that was made before: for thousands of them. */
export function openBlankLedger(): Ledger {
  if (blank === undefined) {
    const made = openSqlite({ file: FILE, schema: LEDGER_SCHEMA });
    blank = made.serialize();
    made.close();
  }
  const database = new DatabaseSync(FILE);
  database.deserialize(blank);
  const db = new Kysely<LedgerTables>({ dialect: sqliteDialect(database, FILE) });
  return {
    ...ledgerPorts(sqliteEngine(db), prepareQuotaRead(database)),
    [Symbol.asyncDispose]: async () => {
      await db.destroy();
      if (database.isOpen) database.close();
    },
  };
}
