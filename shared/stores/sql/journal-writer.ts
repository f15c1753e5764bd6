import { sql, type Transaction } from 'kysely';
import type { ApplicationActivity, Evidence, JournalFact } from '../../contracts/container-fact.ts';
import { must } from '../../errors/assert.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { Instant } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { JournalBatch, JournalWriteResult, JournalWriter } from '../journal.ts';
import { monthNumber } from './event-month.ts';
import { shardsOfFacts } from './fact-shards.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { reopenInferred } from './reopen-inferred.ts';
import { withoutNul } from './without-nul.ts';

const CHUNK = 100;

interface FactRow {
  /** As it was given. */
  readonly fact: JournalFact;
  /** As both engines can hold it. */
  readonly stored: JournalFact;
  readonly cluster: string;
  readonly id: string;
  readonly body: string;
}

function topicOf(fact: JournalFact): { topic: string; subject: string } {
  switch (fact.kind) {
    case 'container-started':
    case 'container-resized':
    case 'container-stopped':
      return { topic: 'container', subject: fact.container };
    case 'application-seen':
    case 'application-ended':
      return { topic: 'application', subject: fact.application };
    case 'node-started':
    case 'node-stopped':
      return { topic: 'node', subject: fact.node };
    case 'load':
      return { topic: 'load', subject: '' };
  }
}

const keyOf = (row: { cluster: string; id: string }): string => `${row.cluster}\n${row.id}`;

/** The facts seen, in the ledger's file, so that one transaction holds them and their checkpoint. */
export class SqlJournalWriter implements JournalWriter {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async record(batch: JournalBatch, storedAt: Instant): Promise<JournalWriteResult> {
    const times = batch.facts.map(({ at }) => at);
    await this.#engine.makeMonths('fact', times);
    const shards = await this.#engine.shards();
    return this.#engine.transact(async (trx) => {
      // Before the first `seq` is drawn: they become visible in the order in which they rise.
      await this.#engine.lock(trx, 'journal');
      const result = { stored: 0, duplicates: 0, conflicts: [] as JournalFact[] };
      for (const facts of inChunks(batch.facts, CHUNK)) {
        const { stored, conflicts } = await recordFacts(trx, {
          facts,
          storedAt,
          monthly: this.#engine.monthly,
          shards,
        });
        result.stored += stored;
        result.conflicts.push(...conflicts);
      }
      result.duplicates = batch.facts.length - result.stored - result.conflicts.length;
      await recordEvidence(trx, { evidence: withoutNul(batch.evidence), storedAt }, this.#engine);
      await recordActivity(trx, withoutNul(batch.activity));
      await recordCheckpoints(trx, batch.checkpoints);
      return result;
    });
  }

  async checkpoints(prefix: string): Promise<Checkpoint[]> {
    const rows = await this.#engine.db
      .selectFrom('checkpoint')
      .select(['source', 'position'])
      .where(sql<boolean>`substr(source, 1, length(${prefix})) = ${prefix}`)
      .orderBy('source')
      .execute();
    return rows.map(({ source, position }) => ({ source, position }));
  }

  /** The connection is the ledger's, which closes it. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

async function recordFacts(
  trx: Transaction<LedgerTables>,
  batch: {
    readonly facts: readonly JournalFact[];
    readonly storedAt: Instant;
    readonly monthly: boolean;
    readonly shards: number;
  },
): Promise<{ stored: number; conflicts: JournalFact[] }> {
  const rows = batch.facts.map(factRow);
  const firsts = new Map<string, FactRow>();
  for (const row of rows) if (!firsts.has(keyOf(row))) firsts.set(keyOf(row), row);
  // A constraint of a partition knows its month alone. The lock lets the writer look at all.
  const before = batch.monthly ? await bodiesOf(trx, [...firsts.values()]) : new Map();
  const fresh = [...firsts.values()].filter((row) => !before.has(keyOf(row)));
  const stored = fresh.length === 0 ? 0 : await insertFacts(trx, fresh, batch);
  if (stored === rows.length) return { stored, conflicts: [] };
  const bodies = await bodiesOf(trx, [...firsts.values()]);
  const conflicts = rows.filter((row) => bodies.get(keyOf(row)) !== row.body);
  return { stored, conflicts: conflicts.map(({ fact }) => fact) };
}

function factRow(fact: JournalFact): FactRow {
  const stored = withoutNul(fact);
  return {
    fact,
    stored,
    // What SQLite would make of a lone surrogate, so that the keys compare as the stored ones do.
    cluster: stored.cluster.toWellFormed(),
    id: stored.id.toWellFormed(),
    body: canonicalJson(stored),
  };
}

async function insertFacts(
  trx: Transaction<LedgerTables>,
  rows: readonly FactRow[],
  batch: { readonly storedAt: Instant; readonly monthly: boolean; readonly shards: number },
): Promise<number> {
  const { storedAt, monthly } = batch;
  const facts = rows.map(({ stored }) => stored);
  const shards = await shardsOfFacts(trx, facts, batch.shards);
  const inserted = await trx
    .insertInto('fact')
    .values(
      rows.map(({ stored, cluster, id, body }, index) => ({
        ...(monthly ? { month: monthNumber(stored.at) } : {}),
        ...(batch.shards > 1 ? { shard: must(shards[index], 'a shard for each fact') } : {}),
        cluster,
        id,
        ...topicOf(stored),
        at: stored.at,
        stored_at: storedAt,
        body,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning(['cluster', 'id'])
    .execute();
  return inserted.length;
}

async function bodiesOf(
  trx: Transaction<LedgerTables>,
  rows: readonly FactRow[],
): Promise<Map<string, string>> {
  const bodies = new Map<string, string>();
  for (const [cluster, members] of Map.groupBy(rows, (row) => row.cluster)) {
    const stored = await trx
      .selectFrom('fact')
      .select(['cluster', 'id', 'body'])
      .where('cluster', '=', cluster)
      .where(
        'id',
        'in',
        members.map(({ id }) => id),
      )
      .execute();
    for (const row of stored) bodies.set(keyOf(row), row.body);
  }
  return bodies;
}

/** One row a key: a statement may not update the same row twice on PostgreSQL. */
function latest<T>(list: readonly T[], key: (item: T) => string, later: (a: T, b: T) => T): T[] {
  const kept = new Map<string, T>();
  for (const item of list) {
    const other = kept.get(key(item));
    kept.set(key(item), other === undefined ? item : later(other, item));
  }
  return [...kept.values()];
}

async function recordEvidence(
  trx: Transaction<LedgerTables>,
  { evidence, storedAt }: { readonly evidence: readonly Evidence[]; readonly storedAt: Instant },
  engine: Pick<LedgerEngine, 'lock'>,
): Promise<void> {
  if (evidence.length === 0) return;
  const rows = latest(
    evidence,
    ({ cluster, container }) => `${cluster}\n${container}`,
    (a, b) => (b.until > a.until ? b : a),
  );
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('evidence')
      .values(chunk.map((row) => ({ ...row, stored_at: storedAt })))
      .onConflict((conflict) =>
        conflict
          .columns(['cluster', 'container'])
          .doUpdateSet({
            until: (eb) => eb.ref('excluded.until'),
            stored_at: (eb) => eb.ref('excluded.stored_at'),
          })
          .whereRef('excluded.until', '>', 'evidence.until'),
      )
      .execute();
  }
  // From here on settlements don't write containers: they see this, or it sees them.
  await engine.lock(trx, 'evidence');
  await reopenInferred(trx, rows);
}

/** Later stands; of two at one time the one that counted more, so that their order is nothing. */
function laterActivity(a: ApplicationActivity, b: ApplicationActivity): ApplicationActivity {
  if (a.at !== b.at) return b.at > a.at ? b : a;
  return b.slotMs > a.slotMs ? b : a;
}

async function recordActivity(
  trx: Transaction<LedgerTables>,
  activity: readonly ApplicationActivity[],
): Promise<void> {
  const rows = latest(
    activity,
    ({ cluster, application, attempt }) => `${cluster}\n${application}\n${attempt}`,
    laterActivity,
  );
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('activity')
      .values(
        chunk.map((row) => ({
          cluster: row.cluster,
          application: row.application,
          attempt: row.attempt,
          at: row.at,
          slot_ms: row.slotMs,
          useful_ms: row.usefulMs,
          wasted_ms: row.wastedMs,
          idle_ms: row.idleMs,
          tail_ms: row.tailMs,
          start_up_ms: row.startUpMs,
        })),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['cluster', 'application', 'attempt'])
          .doUpdateSet({
            at: (eb) => eb.ref('excluded.at'),
            slot_ms: (eb) => eb.ref('excluded.slot_ms'),
            useful_ms: (eb) => eb.ref('excluded.useful_ms'),
            wasted_ms: (eb) => eb.ref('excluded.wasted_ms'),
            idle_ms: (eb) => eb.ref('excluded.idle_ms'),
            tail_ms: (eb) => eb.ref('excluded.tail_ms'),
            start_up_ms: (eb) => eb.ref('excluded.start_up_ms'),
          })
          .where(
            sql<boolean>`excluded.at > activity.at
              OR (excluded.at = activity.at AND excluded.slot_ms > activity.slot_ms)`,
          ),
      )
      .execute();
  }
}

async function recordCheckpoints(
  trx: Transaction<LedgerTables>,
  checkpoints: readonly Checkpoint[],
): Promise<void> {
  const rows = latest(
    checkpoints,
    ({ source }) => source,
    (_, b) => b,
  );
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('checkpoint')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.column('source').doUpdateSet({ position: (eb) => eb.ref('excluded.position') }),
      )
      .execute();
  }
}
