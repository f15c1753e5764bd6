import { type Kysely, sql } from 'kysely';
import type {
  ApplicationFact,
  ContainerFact,
  JournalFact,
  LoadFact,
  NodeFact,
} from '../../contracts/container-fact.ts';
import type { Instant } from '../../values/instant.ts';
import {
  applicationKey,
  type ContainerRecord,
  containerKey,
  type JournalReader,
  type StoredFact,
} from '../journal.ts';
import { monthNumber } from './event-month.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 200;

/** Written by SqlJournalWriter from a fact, so that its shape is known. */
function factOf<T extends JournalFact>(row: { readonly body: string }): T {
  return JSON.parse(row.body) as T;
}

export class SqlJournalReader implements JournalReader {
  readonly #db: Kysely<LedgerTables>;
  readonly #monthly: boolean;

  constructor({ db, monthly }: Pick<LedgerEngine, 'db' | 'monthly'>) {
    this.#db = db;
    this.#monthly = monthly;
  }

  async factsAfter(seq: number, limit: number, shard?: number): Promise<StoredFact[]> {
    const rows = await this.#db
      .selectFrom('fact')
      .select(['seq', 'stored_at', 'body'])
      .$if(shard !== undefined, (query) => query.where('shard', '=', shard ?? 0))
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      seq: Number(row.seq),
      storedAt: Number(row.stored_at),
      fact: factOf(row),
    }));
  }

  async containers(
    refs: readonly { cluster: string; container: string }[],
  ): Promise<Map<string, ContainerRecord>> {
    type Building = { facts: ContainerFact[]; evidence: Instant | undefined; learnedAt: Instant };
    const records = new Map<string, Building>();
    const recordOf = (key: string): Building => {
      const record = records.get(key) ?? {
        facts: [],
        evidence: undefined,
        learnedAt: Number.NEGATIVE_INFINITY,
      };
      records.set(key, record);
      return record;
    };
    for (const [cluster, members] of Map.groupBy(refs, (ref) => ref.cluster)) {
      for (const chunk of inChunks(members, CHUNK)) {
        const names = chunk.map(({ container }) => container);
        for (const row of await this.#facts(cluster, 'container', names)) {
          const record = recordOf(containerKey({ cluster, container: row.subject }));
          record.facts.push(factOf(row));
          record.learnedAt = Math.max(record.learnedAt, Number(row.stored_at));
        }
        const evidence = await this.#db
          .selectFrom('evidence')
          .select(['container', 'until', 'stored_at'])
          .where('cluster', '=', cluster)
          .where('container', 'in', names)
          .execute();
        for (const row of evidence) {
          const record = recordOf(containerKey({ cluster, container: row.container }));
          record.evidence = Number(row.until);
          record.learnedAt = Math.max(record.learnedAt, Number(row.stored_at));
        }
      }
    }
    return records;
  }

  async applications(
    refs: readonly { cluster: string; application: string }[],
  ): Promise<Map<string, ApplicationFact[]>> {
    const facts = new Map<string, ApplicationFact[]>();
    for (const [cluster, members] of Map.groupBy(refs, (ref) => ref.cluster)) {
      for (const chunk of inChunks(members, CHUNK)) {
        const names = chunk.map(({ application }) => application);
        for (const row of await this.#facts(cluster, 'application', names)) {
          const key = applicationKey({ cluster, application: row.subject });
          const list = facts.get(key);
          if (list === undefined) facts.set(key, [factOf(row)]);
          else list.push(factOf(row));
        }
      }
    }
    return facts;
  }

  /** Steps from name to name along the index, since the facts of a cluster are many. */
  async clusters(): Promise<string[]> {
    const { rows } = await sql<{ name: string | null }>`
      WITH RECURSIVE step (name) AS (
        SELECT min(cluster) FROM fact
        UNION ALL
        SELECT (SELECT min(cluster) FROM fact WHERE cluster > step.name)
        FROM step WHERE step.name IS NOT NULL
      )
      SELECT name FROM step WHERE name IS NOT NULL`.execute(this.#db);
    return rows.flatMap(({ name }) => (name === null ? [] : [name]));
  }

  async loads(cluster: string, from: Instant, until: Instant, limit: number): Promise<LoadFact[]> {
    const rows = await this.#db
      .selectFrom('fact')
      .select('body')
      .where('cluster', '=', cluster)
      .where('topic', '=', 'load')
      .where('subject', '=', '')
      .where('at', '>=', from)
      .where('at', '<', until)
      .$if(this.#monthly, (query) =>
        query.where('month', '>=', monthNumber(from)).where('month', '<=', monthNumber(until)),
      )
      .orderBy('at')
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map((row) => factOf(row));
  }

  async nodes(cluster: string): Promise<NodeFact[]> {
    const rows = await this.#db
      .selectFrom('fact')
      .select(['subject', 'body'])
      .where('cluster', '=', cluster)
      .where('topic', '=', 'node')
      .orderBy('subject')
      .orderBy('at')
      .orderBy('seq')
      .execute();
    const last = new Map(rows.map((row) => [row.subject, factOf<NodeFact>(row)]));
    return [...last.values()];
  }

  async nodeFacts(
    cluster: string,
    until: Instant,
  ): Promise<{ facts: NodeFact[]; heardUntil: Instant | undefined }> {
    const rows = await this.#db
      .selectFrom('fact')
      .select('body')
      .where('cluster', '=', cluster)
      .where('topic', '=', 'node')
      .where('at', '<', until)
      .orderBy('at')
      .orderBy('id')
      .execute();
    const heard = await this.#db
      .selectFrom('fact')
      .select((eb) => eb.fn.max('at').as('at'))
      .where('cluster', '=', cluster)
      .where('topic', '=', 'load')
      .where('subject', '=', '')
      .executeTakeFirst();
    const at = heard?.at;
    const heardUntil = at === null || at === undefined ? undefined : Number(at);
    return { facts: rows.map((row) => factOf<NodeFact>(row)), heardUntil };
  }

  #facts(
    cluster: string,
    topic: 'container' | 'application',
    subjects: readonly string[],
  ): Promise<{ subject: string; stored_at: bigint | number; body: string }[]> {
    return this.#db
      .selectFrom('fact')
      .select(['subject', 'stored_at', 'body'])
      .where('cluster', '=', cluster)
      .where('topic', '=', topic)
      .where('subject', 'in', subjects)
      .execute();
  }

  /** The connection is the ledger's, which closes it. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
