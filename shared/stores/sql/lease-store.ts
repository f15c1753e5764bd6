import { Kysely, type RawBuilder, sql } from 'kysely';
import type { Clock } from '../../runtime/clock.ts';
import type { Lease, LeaseStore } from '../lease.ts';
import { LEDGER_SCHEMA, type LedgerTables } from './ledger-schema.ts';
import { openSqlite } from './open-sqlite.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

type LeaseTables = Pick<LedgerTables, 'lease'>;
type LeaseRow = { name: string; holder: string; token: bigint | number; until: bigint | number };

function leaseOf(row: LeaseRow | undefined): Lease | undefined {
  if (row === undefined) return undefined;
  const { name, holder } = row;
  return { name, holder, token: BigInt(row.token), until: Number(row.until) };
}

/**
 * Leases in the ledger's database, where a settlement can look at them in its own transaction. Each
 * call is one statement, which the engine decides alone.
 */
export class SqlLeaseStore implements LeaseStore {
  readonly #db: Kysely<LeaseTables>;
  readonly #now: () => RawBuilder<bigint | number>;

  /**
   * @param options.db is closed with the store
   * @param options.now the time as the store's server has it, in milliseconds since 1970
   */
  constructor(options: {
    readonly db: Kysely<LeaseTables>;
    readonly now: () => RawBuilder<bigint | number>;
  }) {
    this.#db = options.db;
    this.#now = options.now;
  }

  async acquire(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    const now = this.#now();
    const row = await this.#db
      .insertInto('lease')
      .values({ name, holder, token: 1, until: this.#end(ttlMs) })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({
            holder: (eb) => eb.ref('excluded.holder'),
            // Its holder, asking again in time, has the same lease; after it, it is a new one.
            token: sql`lease.token + CASE WHEN lease.until > ${now} THEN 0 ELSE 1 END`,
            until: (eb) => eb.ref('excluded.until'),
          })
          .where(sql<boolean>`lease.until <= ${now} OR lease.holder = excluded.holder`),
      )
      .returningAll()
      .executeTakeFirst();
    return leaseOf(row);
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease | undefined> {
    const row = await this.#db
      .updateTable('lease')
      .set({ until: this.#end(ttlMs) })
      .where('name', '=', lease.name)
      .where('holder', '=', lease.holder)
      .where('token', '=', lease.token)
      .returningAll()
      .executeTakeFirst();
    return leaseOf(row);
  }

  async held(family: string): Promise<Lease[]> {
    const rows = await this.#db
      .selectFrom('lease')
      .selectAll()
      .where('name', '>=', `${family}/`)
      // What follows the slash in ASCII: both engines compare names by their bytes.
      .where('name', '<', `${family}0`)
      .where(sql<boolean>`until > ${this.#now()}`)
      .orderBy('name')
      .execute();
    return rows.flatMap((row) => leaseOf(row) ?? []);
  }

  async release(lease: Lease): Promise<void> {
    await this.#db
      .updateTable('lease')
      .set({ holder: '', until: 0 })
      .where('name', '=', lease.name)
      .where('holder', '=', lease.holder)
      .where('token', '=', lease.token)
      .execute();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.destroy();
  }

  #end(ttlMs: number): RawBuilder<bigint | number> {
    return sql`${this.#now()} + ${sql.lit(Math.trunc(ttlMs))}`;
  }
}

/**
 * Leases in the ledger's file; several threads and processes may open it.
 *
 * @param options.file of the ledger, which is made where it is missing
 * @param options.clock the file has none of its own: all holders' must agree
 */
export async function openSqliteLeaseStore(options: {
  readonly file: string;
  readonly clock: Clock;
}): Promise<LeaseStore> {
  const { file, clock } = options;
  const database = openSqlite({ file, schema: LEDGER_SCHEMA });
  const db = new Kysely<LeaseTables>({ dialect: sqliteDialect(database, file) });
  return new SqlLeaseStore({ db, now: () => sql.lit(clock.now()) });
}
