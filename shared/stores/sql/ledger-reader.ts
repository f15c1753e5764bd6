import { type Kysely, sql } from 'kysely';
import type { Charge } from '../../contracts/charge.ts';
import { AppError } from '../../errors/app-error.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import { applicationKey } from '../journal.ts';
import type { ApplicationCost, Balance, LedgerReader, OutcomeCost } from '../ledger-reader.ts';
import { readAnomalies, readClockPairs } from './anomaly-read.ts';
import { applicationActivity } from './application-activity.ts';
import { type ApplicationRow, applicationCostOf } from './application-row.ts';
import { chargeOfRow } from './charge-row.ts';
import { readClusterUse } from './cluster-use-read.ts';
import type { LedgerTables } from './ledger-schema.ts';

type Filter = Parameters<LedgerReader['applications']>[1];
type Key = readonly [start: Instant, cluster: string, application: string];

function formatCursor(row: ApplicationRow): string {
  const key: Key = [Number(row.start), row.cluster, row.application];
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function parseCursor(cursor: string): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(key) && Number.isSafeInteger(key[0]) && key.length === 3) {
      return [Number(key[0]), String(key[1]), String(key[2])];
    }
  } catch {
    // Said below, as for any other text that isn't a cursor.
  }
  throw new AppError('BAD_REQUEST', 'the cursor is not one of an earlier page; leave it out');
}

/** Every read names its project: what belongs to another one isn't there. */
export class SqlLedgerReader implements LedgerReader {
  readonly #db: Kysely<LedgerTables>;
  readonly quota: LedgerReader['quota'];

  constructor(db: Kysely<LedgerTables>, quota: LedgerReader['quota']) {
    this.#db = db;
    this.quota = quota;
  }

  async projects(): Promise<ProjectId[]> {
    const rows = await this.#db
      .selectFrom('balance')
      .select('project')
      .orderBy('project')
      .execute();
    return rows.map(({ project }) => project as ProjectId);
  }

  async balance(project: ProjectId, now: Instant = 0): Promise<Balance | undefined> {
    // The pool matters to the price alone.
    return (await this.quota(project, '', now))?.balance;
  }

  anomalies: LedgerReader['anomalies'] = (project, window, page) =>
    readAnomalies(this.#db, { project, window, page });

  clockPairs: LedgerReader['clockPairs'] = (cluster) => readClockPairs(this.#db, cluster);

  clusterUse: LedgerReader['clusterUse'] = (cluster, window) =>
    readClusterUse(this.#db, cluster, window);

  async outcomes(project: ProjectId, cluster: string, application: string): Promise<OutcomeCost[]> {
    const rows = await this.#db
      .selectFrom('container')
      .innerJoin('charge', (join) =>
        join
          .onRef('charge.cluster', '=', 'container.cluster')
          .onRef('charge.container', '=', 'container.container'),
      )
      .where('container.cluster', '=', cluster)
      .where('container.application', '=', application)
      .where('charge.project', '=', project)
      .groupBy(['container.outcome', 'charge.role', 'container.attempt'])
      .select(['container.outcome', 'charge.role', 'container.attempt'])
      .select((eb) => [
        eb.fn.count<bigint | number>('container.container').distinct().as('containers'),
        eb.fn.sum<bigint | string>('charge.container_ms').as('container_ms'),
        eb.fn.sum<bigint | string>('charge.amount').as('charged'),
      ])
      .orderBy('container.outcome')
      .orderBy('charge.role')
      .orderBy('container.attempt')
      .execute();
    return rows.map((row) => ({
      outcome: row.outcome,
      role: row.role,
      attempt: row.attempt,
      containers: Number(row.containers),
      containerMs: BigInt(row.container_ms),
      charged: BigInt(row.charged),
    }));
  }

  async runningCounts(): Promise<ReadonlyMap<ProjectId, number>> {
    const rows = await this.#db
      .selectFrom('application')
      .select(['project', (eb) => eb.fn.countAll<number | bigint>().as('running')])
      .where('state', '=', 'running')
      .groupBy('project')
      .execute();
    return new Map(rows.map((row) => [row.project as ProjectId, Number(row.running)]));
  }

  async applications(
    project: ProjectId,
    { state, limit, cursor }: Filter,
  ): Promise<{ applications: ApplicationCost[]; cursor?: string }> {
    let query = this.#db
      .selectFrom('application')
      .selectAll()
      .where('project', '=', project)
      .orderBy('start', 'desc')
      .orderBy('cluster')
      .orderBy('application')
      .limit(limit + 1);
    if (state !== undefined) query = query.where('state', '=', state);
    if (cursor !== undefined) {
      const [start, cluster, application] = parseCursor(cursor);
      query = query.where('start', '<=', start).where(
        sql<boolean>`(start < ${start} OR cluster > ${cluster}
            OR (cluster = ${cluster} AND application > ${application}))`,
      );
    }
    const rows = await query.execute();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const more = rows.length > limit && last !== undefined;
    return {
      applications: await this.#costs(page),
      ...(more ? { cursor: formatCursor(last) } : {}),
    };
  }

  async application(
    project: ProjectId,
    cluster: string,
    application: string,
  ): Promise<ApplicationCost | undefined> {
    const row = await this.#db
      .selectFrom('application')
      .selectAll()
      .where('cluster', '=', cluster)
      .where('application', '=', application)
      .where('project', '=', project)
      .executeTakeFirst();
    return row === undefined ? undefined : (await this.#costs([row]))[0];
  }

  async charges(
    project: ProjectId,
    { from, until }: { readonly from: Instant; readonly until: Instant },
    { limit, after }: { readonly limit: number; readonly after?: string },
  ): Promise<Charge[]> {
    let query = this.#db
      .selectFrom('charge')
      .innerJoin('tag_set', 'tag_set.id', 'charge.tag_set')
      .selectAll('charge')
      .select('tag_set.body as tags')
      .where('project', '=', project)
      .where('hour', '>=', from)
      .where('hour', '<', until)
      // Ids are prefixed by their hour: this is the order of id, and the order of the index.
      .orderBy('hour')
      .orderBy('charge.id')
      .limit(limit);
    if (after !== undefined) {
      query = query
        .where('charge.id', '>', after)
        .where('hour', '>=', (eb) =>
          eb.fn.coalesce(
            eb.selectFrom('charge as last').select('last.hour').where('last.id', '=', after),
            eb.val(from),
          ),
        );
    }
    return (await query.execute()).map(chargeOfRow);
  }

  async #costs(rows: readonly ApplicationRow[]): Promise<ApplicationCost[]> {
    const activities = await applicationActivity(this.#db, rows);
    const costs: ApplicationCost[] = [];
    for (const row of rows) {
      const last = await this.#db
        .selectFrom('container')
        .select((eb) => eb.fn.max('end').as('end'))
        .where('cluster', '=', row.cluster)
        .where('application', '=', row.application)
        .executeTakeFirst();
      costs.push(applicationCostOf(row, activities.get(applicationKey(row)), last?.end ?? null));
    }
    return costs;
  }

  /** The connection is the ledger's, which closes it. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
