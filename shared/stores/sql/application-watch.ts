import { type Kysely, sql } from 'kysely';
import type { Instant } from '../../values/instant.ts';
import type { ApplicationRef, ApplicationWatch, WatchedContainer } from '../application-watch.ts';
import { applicationKey } from '../journal.ts';
import type { ApplicationCost } from '../ledger-reader.ts';
import { applicationActivity } from './application-activity.ts';
import { type ApplicationRow, applicationCostOf } from './application-row.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 500;
/** As a literal, so that a prepared statement uses the index of running ones. */
const RUNNING = sql<boolean>`state = 'running'`;

export class SqlApplicationWatch implements ApplicationWatch {
  readonly #db: Kysely<LedgerTables>;

  constructor(db: Kysely<LedgerTables>) {
    this.#db = db;
  }

  async settledUntil(): Promise<Instant | undefined> {
    const row = await this.#db
      .selectFrom('shard')
      .select((eb) => eb.fn.min('as_of').as('as_of'))
      .executeTakeFirst();
    const at = Number(row?.as_of ?? 0);
    return at === 0 ? undefined : at;
  }

  async runningAt(at: Instant, limit: number): Promise<ApplicationCost[]> {
    const running = await this.#db
      .selectFrom('application')
      .selectAll()
      .where(RUNNING)
      .where('start', '<=', at)
      .orderBy('start')
      .orderBy('cluster')
      .orderBy('application')
      .limit(limit)
      .execute();
    const since = await this.#db
      .selectFrom('application')
      .selectAll()
      .where('ended', '>', at)
      .where('start', '<=', at)
      .where('state', '=', 'ended')
      .orderBy('ended')
      .limit(limit)
      .execute();
    const rows = [...running, ...since].sort((a, b) => Number(a.start) - Number(b.start));
    return this.#costs(rows.slice(0, limit));
  }

  async ended(
    { from, until }: { readonly from: Instant; readonly until: Instant },
    limit: number,
  ): Promise<ApplicationCost[]> {
    const rows = await this.#db
      .selectFrom('application')
      .selectAll()
      .where('ended', '>=', from)
      .where('ended', '<', until)
      .where('state', '=', 'ended')
      .orderBy('ended')
      .orderBy('cluster')
      .orderBy('application')
      .limit(limit)
      .execute();
    return this.#costs(rows);
  }

  async containers(
    applications: readonly ApplicationRef[],
    since: Instant,
    limit: number,
  ): Promise<WatchedContainer[]> {
    const found: WatchedContainer[] = [];
    for (const [cluster, members] of Map.groupBy(applications, (one) => one.cluster)) {
      const names = members.map(({ application }) => application);
      for (const some of inChunks(names, CHUNK)) {
        const rows = await this.#db
          .selectFrom('container')
          .select(['cluster', 'application', 'container', 'attempt', 'state', 'start', 'end'])
          .select(['witnessed_until', 'outcome'])
          .where('cluster', '=', cluster)
          .where('application', 'in', some)
          .where((eb) => eb.or([eb('state', '=', 'running'), eb('end', '>=', since)]))
          .limit(limit)
          .execute();
        for (const row of rows) {
          found.push({
            ...row,
            state: row.state as WatchedContainer['state'],
            start: Number(row.start),
            end: Number(row.end),
            witnessedUntil: Number(row.witnessed_until),
          });
        }
      }
    }
    return found.sort((a, b) => a.start - b.start).slice(0, limit);
  }

  async reserved(applications: readonly ApplicationRef[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const [cluster, members] of Map.groupBy(applications, (one) => one.cluster)) {
      const names = members.map(({ application }) => application);
      for (const some of inChunks(names, CHUNK)) {
        const rows = await this.#db
          .selectFrom('reservation_application')
          .select(['cluster', 'application'])
          .where('cluster', '=', cluster)
          .where('application', 'in', some)
          .execute();
        for (const row of rows) found.add(applicationKey(row));
      }
    }
    return found;
  }

  async #costs(rows: readonly ApplicationRow[]): Promise<ApplicationCost[]> {
    const activities = await applicationActivity(this.#db, rows);
    // An end that nobody told is none of these: `ended` is what they were found by.
    return rows.map((row) => applicationCostOf(row, activities.get(applicationKey(row)), null));
  }
}
