import { Client } from 'pg';
import { LEDGER_SCHEMA } from '../../../shared/stores/sql/ledger-schema.ts';
import { openSqlite } from '../../../shared/stores/sql/open-sqlite.ts';
import { HOUR_MS, utcHour } from '../../../shared/values/instant.ts';

/** A month of executors, hour by hour. */
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

/** Who paid; ids begin with their hour, as chargeId writes them. */
function columns(row: { hour: string; container: string; project: string }, digest: Digest) {
  const { hour, container, project } = row;
  return `${hour} || '.' || ${digest(container)} || '.1000.000' AS id,
    'ORIGINAL' AS type, 'p' || ${project} AS project, 'yarn-1' AS cluster,
    'application_1795247888953_' || (${container} / 20) AS application,
    'container_e17_1795247888953_' || ${container} AS container, 'executor' AS role`;
}

const REST = `1000 AS step, 3600000 AS container_ms, 7200000000 AS millicore_ms,
  14745600000 AS mib_ms, 0 AS gpu_ms, 6480000000 AS amount, 'default' AS rate_card,
  'rating-1' AS rule_version, 'exact' AS coverage`;

const NAMES = `id, type, project, cluster, application, container, role, step, container_ms,
  millicore_ms, mib_ms, gpu_ms, amount, rate_card, rule_version, coverage, tag_set, hour, stored_at`;

/** @returns bytes of a charge, its indices included */
export function fillSqlite(file: string, fill: ChargeFill): number {
  const database = openSqlite({ file, schema: LEDGER_SCHEMA });
  const size = (): number =>
    Number(database.prepare('PRAGMA page_count').get()?.['page_count']) *
    Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
  const before = size();
  database.exec(`PRAGMA synchronous = OFF; INSERT INTO tag_set (id, body) VALUES (1, '{}')`);
  const first = utcHour(fill.now) / HOUR_MS - Math.ceil(fill.charges / fill.containers);
  // Hour by hour, as a meter writes them.
  for (let from = 0; from < fill.charges; from += CHUNK) {
    const until = Math.min(fill.charges, from + CHUNK);
    const hour = `(${first} + i / ${fill.containers})`;
    const container = `(i % ${fill.containers})`;
    const project = `(i % ${fill.projects})`;
    database.exec(`
      INSERT INTO charge (${NAMES})
      WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${until})
      SELECT ${columns({ hour, container, project }, (text) => `printf('%016d', ${text})`)}, ${REST},
        1 AS tag_set,
        ${hour} * ${HOUR_MS} AS hour, ${fill.now} AS stored_at FROM n`);
  }
  const bytes = (size() - before) / fill.charges;
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  return bytes;
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
    const first = utcHour(fill.now) / HOUR_MS - Math.ceil(fill.charges / fill.containers);
    for (let from = 0; from < fill.charges; from += CHUNK) {
      const until = Math.min(fill.charges, from + CHUNK) - 1;
      const hour = `(${first} + i / ${fill.containers})`;
      const container = `(i % ${fill.containers})`;
      const project = `(i % ${fill.projects})`;
      await client.query(`
        INSERT INTO charge (${NAMES})
        SELECT ${columns({ hour, container, project }, (text) => `lpad(${text}::text, 16, '0')`)}, ${REST},
          ${rows[0].id} AS tag_set, ${hour}::bigint * ${HOUR_MS} AS hour, ${fill.now} AS stored_at
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
