import { Kysely, PostgresDialect, type QueryExecutorProvider, sql } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import type { PostgresConfig } from './config.ts';
import { refuseNewer, schemaVersion } from './init-postgres.ts';
import { POSTGRES_MIGRATIONS } from './postgres-migrations.ts';
import { type Connections, openPostgresPool } from './postgres-pool.ts';

const OLDEST_VERSION = 14;

interface Settings {
  readonly version: number;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly encoding: string;
}

function wrongSetting({ version, fsync, synchronous_commit, encoding }: Settings) {
  if (version < OLDEST_VERSION * 10_000) {
    const major = Math.trunc(version / 10_000);
    return `version ${major} is older than ${OLDEST_VERSION}; upgrade it`;
  }
  if (encoding !== 'UTF8') return `its encoding is ${encoding}; make a database with UTF8`;
  const off = fsync === 'off' ? 'fsync' : synchronous_commit === 'off' ? 'synchronous_commit' : '';
  if (off !== '') return `${off} is off, so that a crash loses what was acknowledged; turn it on`;
  return undefined;
}

/** Partitions are made by the tables' owner alone. */
async function missingRight(
  db: QueryExecutorProvider,
  schema: string,
): Promise<string | undefined> {
  const { rows } = await sql<{ name: string; owns: boolean; creates: boolean }>`
    SELECT c.relname AS name, pg_has_role(c.relowner, 'USAGE') AS owns,
      has_schema_privilege(n.oid, 'CREATE') AS creates
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.relname`.execute(db);
  const foreign = rows.find(({ owns }) => !owns);
  if (foreign !== undefined) return `its user doesn't own table ${schema}.${foreign.name}`;
  if (rows.some(({ creates }) => !creates)) return `its user may not create in schema ${schema}`;
  return undefined;
}

/** As checkPostgres, on a pool that is there. */
export async function checkSchema(pool: Connections, schema: string): Promise<void> {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const fail = (what: string): never => {
    throw new AppError('STORE_MISCONFIGURED', `PostgreSQL at ${pool.where}: ${what}`);
  };
  const { rows } = await sql<Settings>`
    SELECT current_setting('server_version_num')::int AS version,
      current_setting('fsync') AS fsync,
      current_setting('synchronous_commit') AS synchronous_commit,
      current_setting('server_encoding') AS encoding`.execute(db);
  const [settings] = rows;
  const wrong = settings === undefined ? undefined : wrongSetting(settings);
  if (wrong !== undefined) fail(wrong);
  const version = await schemaVersion(db, schema);
  if (version === undefined) {
    return fail(`schema ${schema} has no tables of Tollgate; run "tollgate stores init"`);
  }
  refuseNewer(version, pool.where);
  if (version < POSTGRES_MIGRATIONS.length) {
    fail(`schema ${schema} is of an older Tollgate; run "tollgate stores init"`);
  }
  const right = await missingRight(db, schema);
  if (right !== undefined) fail(`${right}; let the owner of the tables be the user of url`);
}

/**
 * What `tollgate stores check` and the start-up do with PostgreSQL: version, durability, tables,
 * rights.
 *
 * @throws AppError STORE_UNAVAILABLE or STORE_MISCONFIGURED, with what to do and without the secret
 */
export async function checkPostgres(config: PostgresConfig): Promise<void> {
  const pool = openPostgresPool({ ...config, poolSize: 1 });
  try {
    await checkSchema(pool, config.schema);
  } finally {
    await pool.end();
  }
}
