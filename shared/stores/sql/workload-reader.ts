import { setImmediate } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { HOUR_MS, utcHour } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Workload, WorkloadReader, WorkloadRun } from '../workload-reader.ts';
import { type ApplicationRow, applicationCostOf } from './application-row.ts';
import type { LedgerTables } from './ledger-schema.ts';

/** Runs that are looked at for those with the right tags. */
const CANDIDATES_MAX = 200;
/** Applications of a project that are looked at for those whose name begins as asked. */
const NEWEST_MAX = 5_000;
/** Containers of a run, and lines of these, that tell at which prices it ran. */
const CONTAINERS_MAX = 100;
const LINES_MAX = 1_000;
/** Above every character that a name can hold. */
const LAST = '\u{10ffff}';

/** What the index holds of a name. */
const BEGINNING = sql<string>`substr(name, 1, 200)`;

function beginning(name: string): string {
  return Array.from(name).slice(0, 200).join('');
}

type Run = Omit<WorkloadRun, 'chargedAt'>;

function hasTags(row: ApplicationRow, { tags }: Workload): boolean {
  const has = JSON.parse(row.tags) as Record<string, string>;
  return Object.entries(tags).every(
    ([key, value]) => Object.hasOwn(has, key) && has[key] === value,
  );
}

/** Earlier runs of a workload, from the ledger's own sums and lines. */
export class SqlWorkloadReader implements WorkloadReader {
  readonly #db: Kysely<LedgerTables>;

  constructor(db: Kysely<LedgerTables>) {
    this.#db = db;
  }

  async runs(project: ProjectId, workload: Workload, limit: number): Promise<WorkloadRun[]> {
    const runs: WorkloadRun[] = [];
    for (const row of await this.#candidates(project, workload)) {
      if (runs.length >= limit) break;
      if (row.state !== 'ended' || row.charged === '0' || !hasTags(row, workload)) continue;
      // SQLite answers without leaving the thread: quota checks have a turn in between.
      await setImmediate();
      const run = await this.#ended(row);
      if (run !== undefined) runs.push({ ...run, chargedAt: await this.#chargedAt(run) });
    }
    return runs;
  }

  /**
   * A whole name is looked up in an index of names: states are looked at afterwards, and an order
   * that no index gives keeps SQLite from walking one that does until it meets the name. Names that
   * only begin alike are looked for among the project's newest applications.
   */
  async #candidates(project: ProjectId, { name }: Workload): Promise<ApplicationRow[]> {
    const ofProject = this.#db.selectFrom('application').selectAll().where('project', '=', project);
    if (!name.endsWith('*')) {
      return ofProject
        .where(BEGINNING, '=', beginning(name))
        .where('name', '=', name)
        .orderBy(sql`start + 0`, 'desc')
        .orderBy('cluster')
        .orderBy('application')
        .limit(CANDIDATES_MAX)
        .execute();
    }
    const newest = ofProject
      .orderBy('start', 'desc')
      .orderBy('cluster')
      .orderBy('application')
      .limit(NEWEST_MAX);
    const prefix = name.slice(0, -1);
    return this.#db
      .selectFrom(newest.as('newest'))
      .selectAll()
      .where('name', '>=', prefix)
      .where('name', '<', `${prefix}${LAST}`)
      .orderBy('start', 'desc')
      .orderBy('cluster')
      .orderBy('application')
      .limit(CANDIDATES_MAX)
      .execute();
  }

  /** Undefined while its end isn't known. */
  async #ended(row: ApplicationRow): Promise<Run | undefined> {
    const last = await this.#db
      .selectFrom('container')
      .select((eb) => eb.fn.max('end').as('end'))
      .where('cluster', '=', row.cluster)
      .where('application', '=', row.application)
      .executeTakeFirst();
    const { cluster, application, start, end, charged } = applicationCostOf(
      row,
      undefined,
      last?.end ?? null,
    );
    return end === undefined ? undefined : { cluster, application, start, end, charged };
  }

  /**
   * In micro-credits, whose sum over a thousand lines stays within 64 bits for every amount that a
   * line can have in practice (9 million credits each).
   */
  async #chargedAt({ cluster, application, start, end }: Run): Promise<WorkloadRun['chargedAt']> {
    const containers = await this.#db
      .selectFrom('container')
      .select('container')
      .where('cluster', '=', cluster)
      .where('application', '=', application)
      .limit(CONTAINERS_MAX)
      .execute();
    if (containers.length === 0) return [];
    const names = containers.map(({ container }) => container);
    const lines = this.#db
      .selectFrom('charge')
      .select(['step', 'amount'])
      .where('cluster', '=', cluster)
      .where('container', 'in', names)
      .where('hour', '>=', utcHour(start))
      .where('hour', '<', utcHour(end) + HOUR_MS)
      .limit(LINES_MAX)
      .as('line');
    const rows = await this.#db
      .selectFrom(lines)
      .select(['step', sql<bigint | number | string>`sum(amount / 1000)`.as('microcredits')])
      .groupBy('step')
      .orderBy('step')
      .execute();
    return rows.map((row) => ({
      step: Number(row.step),
      microcredits: BigInt(row.microcredits),
    }));
  }
}
