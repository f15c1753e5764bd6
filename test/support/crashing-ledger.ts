import { type CompiledQuery, type DatabaseConnection, type Dialect, Kysely } from 'kysely';
import { sqliteEngine } from '../../shared/stores/sql/ledger-engine.ts';
import { prepareQuotaRead } from '../../shared/stores/sql/ledger-quota.ts';
import { LEDGER_SCHEMA, type LedgerTables } from '../../shared/stores/sql/ledger-schema.ts';
import { type Ledger, ledgerPorts } from '../../shared/stores/sql/open-ledger.ts';
import { openSqlite } from '../../shared/stores/sql/open-sqlite.ts';
import { sqliteDialect } from '../../shared/stores/sql/sqlite-dialect.ts';
import { SimulatedCrash } from './crashing-stores.ts';

export interface CrashingLedger extends Ledger {
  /**
   * The n-th statement from now, a commit included, is the last one: the process dies before it, or
   * after it and before it can say so. What wasn't committed is undone. `undefined` for no crash.
   */
  crashAt(point: { readonly statement: number; readonly after: boolean } | undefined): void;
}

/** A ledger in memory whose writer dies between any two statements. */
export function openCrashingLedger(): CrashingLedger {
  const database = openSqlite({ file: ':memory:', schema: LEDGER_SCHEMA });
  let point: { readonly statement: number; readonly after: boolean } | undefined;
  let statements = 0;
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    statements += 1;
    const isLast = point !== undefined && statements === point.statement;
    if (isLast && !point?.after) throw new SimulatedCrash('before a statement');
    const result = await work();
    if (isLast) throw new SimulatedCrash('after a statement');
    return result;
  };
  const dialect: Dialect = sqliteDialect(database, ':memory:');
  const crashing: Dialect = {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => {
      const driver = dialect.createDriver();
      const wrapped = (inner: DatabaseConnection): DatabaseConnection => ({
        executeQuery: (query: CompiledQuery) => counted(() => inner.executeQuery(query)) as never,
        streamQuery: (query: CompiledQuery) => inner.streamQuery(query, 1) as never,
      });
      return {
        init: () => driver.init(),
        acquireConnection: async () => wrapped(await driver.acquireConnection()),
        beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
        commitTransaction: (connection) => counted(() => driver.commitTransaction(connection)),
        rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
        releaseConnection: (connection) => driver.releaseConnection(connection),
        destroy: () => driver.destroy(),
      };
    },
  };
  const db = new Kysely<LedgerTables>({ dialect: crashing });
  return {
    ...ledgerPorts(sqliteEngine(db), prepareQuotaRead(database)),
    crashAt(next) {
      point = next;
      statements = 0;
    },
    [Symbol.asyncDispose]: async () => {
      await db.destroy();
      if (database.isOpen) database.close();
    },
  };
}
