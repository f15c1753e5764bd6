import type { Kysely, Transaction } from 'kysely';
import type { Instant } from '../../values/instant.ts';
import type { LedgerTables } from './ledger-schema.ts';

/**
 * What a writer holds alone until its transaction ends. `journal`: the order of facts, and what
 * evidence says of containers. `totals`: cursor, sums and charges. Who needs both takes totals first.
 */
export type LedgerLock = 'journal' | 'totals';

/**
 * How an engine does what SQL leaves open. SQLite has one writer at a time, so that a transaction
 * holds every lock there is; PostgreSQL has many.
 */
export interface LedgerEngine {
  readonly db: Kysely<LedgerTables>;
  /** Facts and charges lie in partitions of a month. */
  readonly monthly: boolean;
  /** Others write at the same time, so that a row that must stay as it was read is locked. */
  readonly rowLocks: boolean;
  /**
   * One transaction; done again when the engine says that another one was in the way.
   *
   * @param options.serializable for a decision that reads what it doesn't lock
   */
  transact<T>(
    work: (trx: Transaction<LedgerTables>) => Promise<T>,
    options?: { readonly serializable?: boolean },
  ): Promise<T>;
  lock(trx: Transaction<LedgerTables>, lock: LedgerLock): Promise<void>;
  /** Makes room for rows with these event times, before their transaction. */
  makeMonths(table: 'fact' | 'charge', times: Iterable<Instant>): Promise<void>;
}

/** @param db whose transactions take the file's write lock when they begin */
export function sqliteEngine(db: Kysely<LedgerTables>): LedgerEngine {
  return {
    db,
    monthly: false,
    rowLocks: false,
    transact: (work) => db.transaction().execute(work),
    lock: () => Promise.resolve(),
    makeMonths: () => Promise.resolve(),
  };
}
