import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { Instant } from '../../values/instant.ts';
import { NANOCREDITS_PER_CREDIT } from '../../values/money.ts';
import type { ProjectId } from '../../values/project-id.ts';
import { applicationKey } from '../journal.ts';
import type {
  ApplicationSpending,
  HourlySpending,
  SpendingFilter,
  SpendingReader,
} from '../spending-reader.ts';
import { applicationActivity } from './application-activity.ts';
import type { LedgerTables } from './ledger-schema.ts';

interface Window {
  readonly from: Instant;
  readonly until: Instant;
}

/**
 * Whole credits and billionths apart, since a sum of amounts has no bound and a 64-bit integer has.
 * Division cuts towards zero and the remainder has the sign of the amount, on both engines.
 */
const WHOLE = sql<bigint | number | string>`CAST(SUM(charge.amount / 1000000000) AS BIGINT)`;
const REST = sql<bigint | number | string>`CAST(SUM(charge.amount % 1000000000) AS BIGINT)`;
const MILLICORE_MS = sql<bigint | number | string>`CAST(SUM(charge.millicore_ms) AS BIGINT)`;

type Sum = bigint | number | string;

function amountOf(row: { readonly whole: Sum; readonly rest: Sum }): bigint {
  return BigInt(row.whole) * NANOCREDITS_PER_CREDIT + BigInt(row.rest);
}

export class SqlSpendingReader implements SpendingReader {
  readonly #db: Kysely<LedgerTables>;

  constructor(db: Kysely<LedgerTables>) {
    this.#db = db;
  }

  async spending(
    project: ProjectId,
    window: Window,
    filter: SpendingFilter = {},
  ): Promise<ApplicationSpending[]> {
    const rows = await this.#rows(project, window, filter)
      .select(['charge.cluster', 'charge.application', 'charge.role'])
      .select([WHOLE.as('whole'), REST.as('rest')])
      .groupBy(['charge.cluster', 'charge.application', 'charge.role'])
      .orderBy('charge.cluster')
      .orderBy('charge.application')
      .orderBy('charge.role')
      .execute();
    const members = Map.groupBy(rows, applicationKey);
    const slots = await applicationActivity(
      this.#db,
      [...members.values()].flatMap((some) => some.slice(0, 1)),
    );
    return [...members].flatMap(([key, some]) => {
      const [first] = some;
      if (first === undefined) return [];
      const amounts = some.map((row) => ({ role: row.role, amount: amountOf(row) }));
      const { cluster, application } = first;
      return [{ cluster, application, amounts, slots: slots.get(key) }];
    });
  }

  async hourlySpending(
    project: ProjectId,
    window: Window,
    filter: SpendingFilter = {},
  ): Promise<HourlySpending[]> {
    const rows = await this.#rows(project, window, filter)
      .select('charge.hour')
      .select([WHOLE.as('whole'), REST.as('rest'), MILLICORE_MS.as('millicore_ms')])
      .groupBy('charge.hour')
      .orderBy('charge.hour')
      .execute();
    return rows.map((row) => ({
      hour: Number(row.hour),
      amount: amountOf(row),
      millicoreMs: BigInt(row.millicore_ms),
    }));
  }

  #rows(
    project: ProjectId,
    { from, until }: Window,
    { cluster, application }: SpendingFilter,
  ): SelectQueryBuilder<LedgerTables, 'charge', object> {
    let query = this.#db
      .selectFrom('charge')
      .where('charge.hour', '>=', from)
      .where('charge.hour', '<', until);
    if (cluster !== undefined) query = query.where('charge.cluster', '=', cluster);
    if (cluster === undefined || application === undefined) {
      return query.where('charge.project', '=', project);
    }
    // By its containers, whose charges have an index, instead of all rows of the project. Those of a
    // container that has left for another application add up to nothing in the first.
    const containers = this.#db
      .selectFrom('container')
      .select('container.container')
      .where('container.cluster', '=', cluster)
      .where('container.application', '=', application);
    return (
      query
        // Not by the index of the project's rows, which SQLite would rather take.
        .where(sql`COALESCE(charge.project, '')`, '=', project)
        .where('charge.application', '=', application)
        .where('charge.container', 'in', containers)
    );
  }
}
