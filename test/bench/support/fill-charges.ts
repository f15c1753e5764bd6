import { Kysely, PostgresDialect } from 'kysely';
import { Client, Pool } from 'pg';
import { LEDGER_SCHEMA } from '../../../shared/stores/sql/ledger-schema.ts';
import { MonthPartitions } from '../../../shared/stores/sql/month-partitions.ts';
import { openSqlite } from '../../../shared/stores/sql/open-sqlite.ts';
import { DAY_MS, HOUR_MS, type Instant, utcHour } from '../../../shared/values/instant.ts';

/** A month of executors, hour by hour and price step by price step. */
export interface ChargeFill {
  readonly charges: number;
  /** Projects `p0`, `p1`… */
  readonly projects: number;
  /** Containers whose hours these are; each has its share of the charges. */
  readonly containers: number;
  readonly now: number;
}

const CHUNK = 500_000;

/** Sixteen characters of a container, as a charge's id has them. */
type Digest = (container: string) => string;

const MONTH_HOURS = 720;

/** Which row the i-th is, as SQL: every container each hour, at as many prices as fill a month. */
function rowOf(fill: ChargeFill) {
  const steps = Math.max(1, Math.ceil(fill.charges / fill.containers / MONTH_HOURS));
  const first = utcHour(fill.now) / HOUR_MS - Math.ceil(fill.charges / fill.containers / steps);
  return {
    first,
    hour: `(${first} + i / ${fill.containers * steps})`,
    container: `(i % ${fill.containers})`,
    project: `(i % ${fill.projects})`,
    step: `(1000 + 50 * (i / ${fill.containers} % ${steps}))`,
  };
}

/** Who paid; ids begin with their hour, as chargeId writes them. */
function columns(row: Omit<ReturnType<typeof rowOf>, 'first'>, digest: Digest) {
  const { hour, container, project, step } = row;
  return `${hour} || '.' || ${digest(container)} || '.' || ${step} || '.000' AS id, ${step} AS step,
    'ORIGINAL' AS type, 'p' || ${project} AS project, 'yarn-1' AS cluster,
    'application_1795247888953_' || (${container} / 20) AS application,
    'container_e17_1795247888953_' || ${container} AS container, 'executor' AS role`;
}

const REST = `3600000 AS container_ms, 7200000000 AS millicore_ms,
  14745600000 AS mib_ms, 0 AS gpu_ms, 6480000000 AS amount, 'default' AS rate_card,
  'rating-1' AS rule_version, 'exact' AS coverage`;

const NAMES = `id, step, type, project, cluster, application, container, role, container_ms,
  millicore_ms, mib_ms, gpu_ms, amount, rate_card, rule_version, coverage, tag_set, hour, stored_at`;

/** @returns bytes of a charge, its indices included */
export function fillSqlite(file: string, fill: ChargeFill): number {
  const database = openSqlite({ file, schema: LEDGER_SCHEMA });
  const size = (): number =>
    Number(database.prepare('PRAGMA page_count').get()?.['page_count']) *
    Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
  const before = size();
  database.exec(`PRAGMA synchronous = OFF; INSERT INTO tag_set (id, body) VALUES (1, '{}')`);
  const row = rowOf(fill);
  // Hour by hour, as a meter writes them.
  for (let from = 0; from < fill.charges; from += CHUNK) {
    const until = Math.min(fill.charges, from + CHUNK);
    database.exec(`
      INSERT INTO charge (${NAMES})
      WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${until})
      SELECT ${columns(row, (text) => `printf('%016d', ${text})`)}, ${REST},
        1 AS tag_set,
        ${row.hour} * ${HOUR_MS} AS hour, ${fill.now} AS stored_at FROM n`);
  }
  const bytes = (size() - before) / fill.charges;
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  return bytes;
}

async function makePartitions(
  options: string,
  url: string,
  from: Instant,
  until: Instant,
): Promise<void> {
  const pool = new Pool({ connectionString: url, options, max: 1 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const days = Math.ceil((until - from) / DAY_MS);
  await new MonthPartitions(db).make(
    'charge',
    Array.from({ length: days + 1 }, (_, i) => from + i * DAY_MS),
  );
  await db.destroy();
}

/** @returns bytes of a charge, its indices included */
export async function fillPostgres(
  { url, schema }: { readonly url: string; readonly schema: string },
  fill: ChargeFill,
): Promise<number> {
  const options = `-c search_path=${schema} -c synchronous_commit=off`;
  const client = new Client({ connectionString: url, options });
  await client.connect();
  try {
    const { rows } = await client.query(`INSERT INTO tag_set (body) VALUES ('{}') RETURNING id`);
    const row = rowOf(fill);
    await makePartitions(options, url, row.first * HOUR_MS, fill.now);
    for (let from = 0; from < fill.charges; from += CHUNK) {
      const until = Math.min(fill.charges, from + CHUNK) - 1;
      await client.query(`
        INSERT INTO charge (${NAMES})
        SELECT ${columns(row, (text) => `lpad(${text}::text, 16, '0')`)}, ${REST},
          ${rows[0].id} AS tag_set, ${row.hour}::bigint * ${HOUR_MS} AS hour, ${fill.now} AS stored_at
        FROM generate_series(${from}, ${until}) AS n (i)`);
    }
    await client.query('ANALYZE');
    const sizes = await client.query(`SELECT sum(pg_total_relation_size(c.oid)) AS bytes
      FROM pg_class c WHERE relnamespace = current_schema()::regnamespace
        AND relname LIKE 'charge%' AND relkind = 'r'`);
    return Number(sizes.rows[0].bytes) / fill.charges;
  } finally {
    await client.end();
  }
}
