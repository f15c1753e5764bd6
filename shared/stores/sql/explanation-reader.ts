import { type Kysely, sql } from 'kysely';
import type { Charge } from '../../contracts/charge.ts';
import type { ContainerFact } from '../../contracts/container-fact.ts';
import { HOUR_MS, type Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { ContainerDossier, ExplanationReader, ToldFact } from '../explanation-reader.ts';
import { chargeOfRow } from './charge-row.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 200;
/** Hours since 1970 in base 36, with which every id of a charge begins. */
const HOUR_PREFIX = /^([0-9a-z]{5,6})\./;

function hourOfId(id: string): Instant | undefined {
  const prefix = HOUR_PREFIX.exec(id)?.[1];
  return prefix === undefined ? undefined : Number.parseInt(prefix, 36) * HOUR_MS;
}

export class SqlExplanationReader implements ExplanationReader {
  readonly #db: Kysely<LedgerTables>;

  constructor(db: Kysely<LedgerTables>) {
    this.#db = db;
  }

  async charge(project: ProjectId, id: string): Promise<Charge | undefined> {
    const hour = hourOfId(id);
    if (hour === undefined) return undefined;
    const row = await this.#charges()
      .where('charge.id', '=', id)
      // Where charges lie in partitions of hours, one of them is asked.
      .where('hour', '=', hour)
      .where('project', '=', project)
      .executeTakeFirst();
    return row === undefined ? undefined : chargeOfRow(row);
  }

  /** Steps from cluster to cluster along the key, since applications are many. */
  async clustersOf(project: ProjectId, application: string): Promise<string[]> {
    const { rows } = await sql<{ cluster: string }>`
      WITH RECURSIVE step (name) AS (
        SELECT min(cluster) FROM application
        UNION ALL
        SELECT (SELECT min(cluster) FROM application WHERE cluster > step.name)
        FROM step WHERE step.name IS NOT NULL
      )
      SELECT a.cluster FROM step JOIN application a ON a.cluster = step.name
      WHERE a.application = ${application} AND a.project = ${project}
      ORDER BY a.cluster`.execute(this.#db);
    return rows.map(({ cluster }) => cluster);
  }

  async containersOf(
    project: ProjectId,
    { cluster, application }: { readonly cluster: string; readonly application: string },
    { limit, after }: { readonly limit: number; readonly after?: string },
  ): Promise<string[]> {
    let query = this.#db
      .selectFrom('container')
      .innerJoin('application', (join) =>
        join
          .onRef('application.cluster', '=', 'container.cluster')
          .onRef('application.application', '=', 'container.application'),
      )
      .select('container.container')
      .where('container.cluster', '=', cluster)
      .where('container.application', '=', application)
      .where('application.project', '=', project)
      .orderBy('container.container')
      .limit(limit);
    if (after !== undefined) query = query.where('container.container', '>', after);
    return (await query.execute()).map(({ container }) => container);
  }

  async dossiers(
    project: ProjectId,
    cluster: string,
    containers: readonly string[],
    hour?: Instant,
  ): Promise<ContainerDossier[]> {
    const dossiers: ContainerDossier[] = [];
    for (const chunk of inChunks(containers, CHUNK)) {
      const facts = await this.#facts(cluster, chunk);
      const evidence = await this.#evidence(cluster, chunk);
      const rows = await this.#rows(project, { cluster, containers: chunk, hour });
      for (const container of chunk) {
        const told = facts.get(container) ?? [];
        const own = rows.get(container) ?? [];
        dossiers.push({
          ...{ cluster, container },
          application: own[0]?.application ?? told[0]?.fact.application ?? '',
          facts: told,
          evidence: evidence.get(container),
          rows: own,
        });
      }
    }
    return dossiers;
  }

  #charges() {
    return this.#db
      .selectFrom('charge')
      .innerJoin('tag_set', 'tag_set.id', 'charge.tag_set')
      .selectAll('charge')
      .select('tag_set.body as tags');
  }

  async #facts(cluster: string, containers: readonly string[]): Promise<Map<string, ToldFact[]>> {
    const rows = await this.#db
      .selectFrom('fact')
      .select(['subject', 'stored_at', 'body'])
      .where('cluster', '=', cluster)
      .where('topic', '=', 'container')
      .where('subject', 'in', containers)
      .orderBy('at')
      .orderBy('id')
      .execute();
    const facts = new Map<string, ToldFact[]>();
    for (const { subject, stored_at, body } of rows) {
      const list = facts.get(subject) ?? [];
      facts.set(subject, list);
      list.push({ fact: JSON.parse(body) as ContainerFact, storedAt: Number(stored_at) });
    }
    return facts;
  }

  async #evidence(cluster: string, containers: readonly string[]) {
    const rows = await this.#db
      .selectFrom('evidence')
      .select(['container', 'until', 'stored_at'])
      .where('cluster', '=', cluster)
      .where('container', 'in', containers)
      .execute();
    return new Map(
      rows.map(({ container, until, stored_at }) => [
        container,
        { until: Number(until), storedAt: Number(stored_at) },
      ]),
    );
  }

  async #rows(
    project: ProjectId,
    wanted: {
      readonly cluster: string;
      readonly containers: readonly string[];
      readonly hour: Instant | undefined;
    },
  ): Promise<Map<string, Charge[]>> {
    const { cluster, containers, hour } = wanted;
    let query = this.#charges()
      .where('cluster', '=', cluster)
      .where('container', 'in', containers)
      .where('project', '=', project)
      .orderBy('charge.id');
    if (hour !== undefined) query = query.where('hour', '=', hour);
    return Map.groupBy((await query.execute()).map(chargeOfRow), ({ container }) => container);
  }
}
