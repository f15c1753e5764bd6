import { type Kysely, type QueryExecutorProvider, sql } from 'kysely';
import type { Instant } from '../../values/instant.ts';
import { type EventMonth, eventMonth } from './event-month.ts';

export type MonthlyTable = 'fact' | 'charge';

/** Six digits, so that names sort as months do. */
function partitionName(table: MonthlyTable, { number }: EventMonth): string {
  return `${table}_${String(number).padStart(6, '0')}`;
}

function bounds(table: MonthlyTable, { number, from, until }: EventMonth) {
  if (table === 'fact') return sql`IN (${sql.lit(number)})`;
  const lower = from === undefined ? sql`MINVALUE` : sql.lit(from);
  const upper = until === undefined ? sql`MAXVALUE` : sql.lit(until);
  return sql`FROM (${lower}) TO (${upper})`;
}

/**
 * Makes those that are missing. A partition is filled with nothing and then attached, since making
 * it in its place would wait for every reader of the table, and have all others wait.
 */
async function makePartitions(
  trx: QueryExecutorProvider,
  table: MonthlyTable,
  months: readonly EventMonth[],
): Promise<void> {
  // Makers wait for each other; who comes second finds the partition.
  await sql`SELECT pg_advisory_xact_lock(
    hashtextextended(current_schema() || '/tollgate/partitions', 0))`.execute(trx);
  for (const month of months) {
    const name = partitionName(table, month);
    const { rows } = await sql<{ there: boolean }>`
      SELECT to_regclass(quote_ident(current_schema()) || '.' || ${name}) IS NOT NULL AS there
    `.execute(trx);
    if (rows[0]?.there === true) continue;
    const [part, whole] = [sql.id(name), sql.id(table)];
    await sql`CREATE TABLE ${part} (LIKE ${whole} INCLUDING ALL)`.execute(trx);
    await sql`ALTER TABLE ${whole} ATTACH PARTITION ${part}
      FOR VALUES ${bounds(table, month)}`.execute(trx);
  }
}

/** The partitions of one database that this process knows to be there. */
export class MonthPartitions<T> {
  readonly #db: Kysely<T>;
  readonly #known = new Set<string>();

  constructor(db: Kysely<T>) {
    this.#db = db;
  }

  /** Returns when rows with these event times have their place, in a transaction of its own. */
  async make(table: MonthlyTable, times: Iterable<Instant>): Promise<void> {
    const missing = new Map<string, EventMonth>();
    for (const at of times) {
      const month = eventMonth(at);
      const name = partitionName(table, month);
      if (!this.#known.has(name)) missing.set(name, month);
    }
    if (missing.size === 0) return;
    await this.#db
      .transaction()
      .execute((trx) => makePartitions(trx, table, [...missing.values()]));
    for (const name of missing.keys()) this.#known.add(name);
  }
}
