import type { Kysely, Transaction } from 'kysely';
import type { Instant } from '../../values/instant.ts';
import type { LedgerTables } from './ledger-schema.ts';

/**
 * What a writer holds until its transaction ends. `books`: which months are closed, alone for who
 * closes one, shared by settlements. `journal`: the order of facts. `shard/…`: a shard's
 * cursor, and the rows of its applications. `evidence`: what evidence says of containers, alone for
 * who writes it, shared by those who write containers. `level/…`: what is admitted below a team or an
 * organisation. Taken in this order, shards by number, levels by key.
 */
export type LedgerLock = 'books' | 'journal' | `shard/${number}` | 'evidence' | `level/${string}`;

/**
 * How an engine does what SQL leaves open. SQLite has one writer at a time, so that a transaction
 * holds every lock there is; PostgreSQL has many.
 */
export interface LedgerEngine {
  readonly db: Kysely<LedgerTables>;
  /** Into how many shards the ledger is divided. */
  shards(): Promise<number>;
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
  /** @param mode with others that hold it shared too, or alone */
  lock(trx: Transaction<LedgerTables>, lock: LedgerLock, mode?: 'shared' | 'alone'): Promise<void>;
  /** Makes room for rows with these event times, before their transaction. */
  makeMonths(table: 'fact' | 'charge', times: Iterable<Instant>): Promise<void>;
}

/** Asks once: the number never changes. A question that failed is asked again. */
export function askShards(db: Kysely<LedgerTables>): () => Promise<number> {
  let known: number | undefined;
  return async () => {
    if (known !== undefined) return known;
    const row = await db
      .selectFrom('shard')
      .select((eb) => eb.fn.countAll<number | bigint>().as('shards'))
      .executeTakeFirstOrThrow();
    known = Number(row.shards);
    return known;
  };
}

/** @param db whose transactions take the file's write lock when they begin */
export function sqliteEngine(db: Kysely<LedgerTables>): LedgerEngine {
  return {
    db,
    shards: askShards(db),
    monthly: false,
    rowLocks: false,
    transact: (work) => db.transaction().execute(work),
    lock: () => Promise.resolve(),
    makeMonths: () => Promise.resolve(),
  };
}
