import { Kysely, PostgresDialect, type QueryExecutorProvider, sql } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { DAY_MS } from '../../values/instant.ts';
import type { PostgresConfig } from './config.ts';
import { MonthPartitions } from './month-partitions.ts';
import { POSTGRES_MIGRATIONS } from './postgres-migrations.ts';
import { type Connections, openPostgresPool } from './postgres-pool.ts';

/** Months made before they are needed: this one, and as many days on. */
const AHEAD_DAYS = [0, 31, 62];

interface MigrationTables {
  migration: { version: number; applied_at: bigint | number };
}

/** How many migrations the schema has had; undefined when it was never initialised. */
export async function schemaVersion(
  db: QueryExecutorProvider,
  schema: string,
): Promise<number | undefined> {
  const { rows } = await sql<{ there: boolean }>`
    SELECT to_regclass(quote_ident(${schema}) || '.migration') IS NOT NULL AS there`.execute(db);
  if (rows[0]?.there !== true) return undefined;
  const versions = await sql<{ version: number | null }>`
    SELECT max(version) AS version FROM ${sql.id(schema, 'migration')}`.execute(db);
  return versions.rows[0]?.version ?? 0;
}

/** @throws AppError STORE_MISCONFIGURED when the tables are a newer Tollgate's */
export function refuseNewer(version: number, where: string): void {
  if (version <= POSTGRES_MIGRATIONS.length) return;
  throw new AppError(
    'STORE_MISCONFIGURED',
    `PostgreSQL at ${where}: its tables were made by a newer Tollgate (version ${version}, this ` +
      `one knows ${POSTGRES_MIGRATIONS.length}); upgrade Tollgate`,
  );
}

async function migrate(
  db: Kysely<MigrationTables>,
  options: { readonly schema: string; readonly where: string; readonly clock: Clock },
): Promise<void> {
  const { schema, where, clock } = options;
  await db.transaction().execute(async (trx) => {
    await sql`SELECT pg_advisory_xact_lock(
      hashtextextended(${`${schema}/tollgate/migrations`}, 0))`.execute(trx);
    const { rows } = await sql`SELECT 1 FROM pg_namespace WHERE nspname = ${schema}`.execute(trx);
    // The right to make schemas is needed only where it is missing.
    if (rows.length === 0) await sql`CREATE SCHEMA ${sql.id(schema)}`.execute(trx);
    const version = await schemaVersion(trx, schema);
    if (version === undefined) {
      await sql`CREATE TABLE migration (version integer PRIMARY KEY, applied_at bigint NOT NULL)
      `.execute(trx);
    }
    const done = version ?? 0;
    refuseNewer(done, where);
    for (const [index, script] of POSTGRES_MIGRATIONS.entries()) {
      if (index < done) continue;
      for (const statement of script.split(/;\s*\n/)) {
        if (statement.trim() !== '') await sql.raw(statement).execute(trx);
      }
      const row = { version: index + 1, applied_at: clock.now() };
      await trx.insertInto('migration').values(row).execute();
    }
  });
}

/**
 * Brings a schema to its present form and makes the partitions of this month and the next ones.
 * Does nothing where nothing is to be done; of several at once the others wait.
 */
export async function initSchema(
  pool: Connections,
  options: { readonly schema: string; readonly clock: Clock },
): Promise<void> {
  const { schema, clock } = options;
  const db = new Kysely<MigrationTables>({ dialect: new PostgresDialect({ pool }) });
  await migrate(db, { schema, clock, where: pool.where });
  const months = AHEAD_DAYS.map((days) => clock.now() + days * DAY_MS);
  const partitions = new MonthPartitions(db);
  await partitions.make('fact', months);
  await partitions.make('charge', months);
}

/**
 * What `tollgate stores init` does with PostgreSQL.
 *
 * @throws AppError STORE_UNAVAILABLE or STORE_MISCONFIGURED
 */
export async function initPostgres(
  config: PostgresConfig,
  deps: { readonly clock: Clock },
): Promise<void> {
  const pool = openPostgresPool({ ...config, poolSize: 1 });
  try {
    await initSchema(pool, { schema: config.schema, ...deps });
  } finally {
    await pool.end();
  }
}
