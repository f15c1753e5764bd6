import { Kysely, sql } from 'kysely';
import { assert } from '../../errors/assert.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Instant } from '../../values/instant.ts';
import type { Checkpoint, CheckpointStore } from '../checkpoint.ts';
import type { Fence } from '../lease.ts';
import { checkFences } from './check-fence.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { openSqlite, type SqliteSchema } from './open-sqlite.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

const CHUNK = 100;

/** The same table on both engines. */
export interface CheckpointTables extends Pick<LedgerTables, 'lease'> {
  source_checkpoint: { source: string; position: string; saved_at: bigint | number };
}

const SCHEMA: SqliteSchema = {
  name: 'checkpoints',
  // "TGCp"
  applicationId: 0x54474370,
  migrations: [
    `CREATE TABLE source_checkpoint (
       source TEXT PRIMARY KEY, position TEXT NOT NULL, saved_at INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;`,
  ],
};

/** Checkpoints apart from their records, in a database that may hold other tables. */
export class SqlCheckpointStore implements CheckpointStore {
  readonly #db: Kysely<CheckpointTables>;
  readonly #clock: Clock;
  readonly #leases: { readonly rowLocks: boolean } | undefined;

  /**
   * @param options.db is closed with the store
   * @param options.leases of the same database, which saves can be fenced by; and whether others
   *   write at the same time
   */
  constructor(options: {
    readonly db: Kysely<CheckpointTables>;
    readonly clock: Clock;
    readonly leases?: { readonly rowLocks: boolean };
  }) {
    this.#db = options.db;
    this.#clock = options.clock;
    this.#leases = options.leases;
  }

  async checkpoints(prefix: string): Promise<Checkpoint[]> {
    const rows = await this.#db
      .selectFrom('source_checkpoint')
      .select(['source', 'position'])
      .where(startsWith(prefix))
      .orderBy('source')
      .execute();
    return rows.map(({ source, position }) => ({ source, position }));
  }

  async save(checkpoints: readonly Checkpoint[], fences: readonly Fence[] = []): Promise<void> {
    if (checkpoints.length + fences.length === 0) return;
    const leases = this.#leases;
    assert(fences.length === 0 || leases !== undefined, 'no leases lie beside these checkpoints');
    const saved_at = this.#clock.now();
    const positions = new Map(checkpoints.map(({ source, position }) => [source, position]));
    // In one order, so that two savers of the same sources wait for each other and don't deadlock.
    const rows = [...positions]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .filter(([, position]) => position !== '')
      .map(([source, position]) => ({ source, position, saved_at }));
    const gone = [...positions].flatMap(([source, position]) => (position === '' ? source : []));
    await this.#db.transaction().execute(async (trx) => {
      if (leases !== undefined) await checkFences(trx, fences, leases);
      for (const chunk of inChunks(gone.sort(), CHUNK)) {
        await trx.deleteFrom('source_checkpoint').where('source', 'in', chunk).execute();
      }
      for (const chunk of inChunks(rows, CHUNK)) {
        await trx
          .insertInto('source_checkpoint')
          .values(chunk)
          .onConflict((conflict) =>
            conflict.column('source').doUpdateSet({
              position: (eb) => eb.ref('excluded.position'),
              saved_at: (eb) => eb.ref('excluded.saved_at'),
            }),
          )
          .execute();
      }
    });
  }

  async lastSavedAt(prefix: string): Promise<Instant | undefined> {
    const row = await this.#db
      .selectFrom('source_checkpoint')
      .select((eb) => eb.fn.max('saved_at').as('last'))
      .where(startsWith(prefix))
      .executeTakeFirst();
    return row === undefined || row.last === null ? undefined : Number(row.last);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.destroy();
  }
}

function startsWith(prefix: string) {
  return sql<boolean>`substr(source, 1, length(${prefix})) = ${prefix}`;
}

/**
 * Checkpoints in a file of their own; several threads and processes may open it.
 *
 * @param options.file path, or `:memory:` for tests
 * @throws AppError STORE_UNAVAILABLE or DISK_FULL
 */
export async function openSqliteCheckpointStore(options: {
  readonly file: string;
  readonly clock: Clock;
}): Promise<CheckpointStore> {
  const { file, clock } = options;
  const database = openSqlite({ file, schema: SCHEMA });
  const db = new Kysely<CheckpointTables>({ dialect: sqliteDialect(database, file) });
  return new SqlCheckpointStore({ db, clock });
}
