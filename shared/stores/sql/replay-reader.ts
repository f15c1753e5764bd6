import { type Kysely, sql } from 'kysely';
import { chargeIdHour } from '../../contracts/charge.ts';
import type { Nanocredits } from '../../values/money.ts';
import { NANOCREDITS_PER_CREDIT } from '../../values/money.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type {
  ReplayContainer,
  ReplayReader,
  ReplayWindow,
  StartedApplications,
} from '../replay-reader.ts';
import type { LedgerTables } from './ledger-schema.ts';

const FIRST_NAMES = 5;
const PAGE = 1_000;

type Integer = bigint | number | string;

export class SqlReplayReader implements ReplayReader {
  readonly #db: Kysely<LedgerTables>;

  constructor(db: Kysely<LedgerTables>) {
    this.#db = db;
  }

  async countContainers(
    { from, until }: ReplayWindow,
    project: ProjectId | undefined,
  ): Promise<number> {
    const whose =
      project === undefined
        ? sql``
        : sql`AND EXISTS (SELECT 1 FROM application a WHERE a.cluster = c.cluster
            AND a.application = c.application AND a.project = ${project})`;
    const { rows } = await sql<{ containers: Integer }>`
      SELECT count(*) AS containers FROM container c
      WHERE c.start < ${until} AND c."end" > ${from} ${whose}`.execute(this.#db);
    return Number(rows[0]?.containers ?? 0);
  }

  /** CROSS JOIN keeps SQLite to the order of containers, which the page is in. */
  async containers(
    { from, until }: ReplayWindow,
    project: ProjectId | undefined,
    { limit, after }: Parameters<ReplayReader['containers']>[2],
  ): Promise<ReplayContainer[]> {
    const behind =
      after === undefined
        ? sql``
        : sql`AND (c.cluster, c.container) > (${after.cluster}, ${after.container})`;
    const { rows } = await sql<ReplayContainer>`
      SELECT c.cluster, c.container, c.application, a.project FROM container c
      CROSS JOIN application a
      WHERE a.cluster = c.cluster AND a.application = c.application
        AND c.start < ${until} AND c."end" > ${from} ${behind} ${ofProject(project)}
      ORDER BY c.cluster, c.container LIMIT ${limit}`.execute(this.#db);
    return rows;
  }

  /**
   * Whole credits and the rest are summed apart, since a sum of amounts may pass 64 bits. The span of
   * ids, which begin with the hour, is the window's part of a table in their order; grouping by what
   * is no column keeps SQLite from walking the index of projects instead, that is, all there is.
   */
  async charged(
    { from, until }: ReplayWindow,
    project: ProjectId | undefined,
  ): Promise<ReadonlyMap<ProjectId, Nanocredits>> {
    const whose = project === undefined ? sql`` : sql`AND project = ${project}`;
    const { rows } = await sql<{ project: ProjectId; whole: Integer; rest: Integer }>`
      SELECT project || '' AS project, sum(amount / 1000000000) AS whole,
        sum(amount % 1000000000) AS rest
      FROM charge
      WHERE hour >= ${from} AND hour < ${until} AND id >= ${chargeIdHour(from)} ${whose}
      GROUP BY project || ''`.execute(this.#db);
    return new Map(
      rows.map((row) => [
        row.project,
        BigInt(row.whole) * NANOCREDITS_PER_CREDIT + BigInt(row.rest),
      ]),
    );
  }

  async started(project: ProjectId, { from, until }: ReplayWindow): Promise<StartedApplications> {
    const first: string[] = [];
    let [applications, charged] = [0, 0n];
    for (let offset = 0; ; offset += PAGE) {
      const rows = await this.#db
        .selectFrom('application')
        .select(['application', 'charged'])
        .where('project', '=', project)
        .where('start', '>=', from)
        .where('start', '<', until)
        .orderBy('start')
        .orderBy('cluster')
        .orderBy('application')
        .limit(PAGE)
        .offset(offset)
        .execute();
      for (const row of rows) {
        if (first.length < FIRST_NAMES) first.push(row.application);
        charged += BigInt(row.charged);
      }
      applications += rows.length;
      if (rows.length < PAGE) return { applications, charged, first };
    }
  }
}

function ofProject(project: ProjectId | undefined) {
  return project === undefined ? sql`` : sql`AND a.project = ${project}`;
}
