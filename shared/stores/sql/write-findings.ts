import type { Insertable, Transaction } from 'kysely';
import type { Findings, Settlement } from '../ledger-writer.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 100;
/** Newest pairs of clocks that are kept of a cluster: a clock is set right some day. */
const PAIRS_KEPT = 2_000;

type Trx = Transaction<LedgerTables>;
type AnomalyRow = Insertable<LedgerTables['anomaly']>;

const topicOf = ({ container }: Findings) => (container === '' ? 'application' : 'container');
const subjectOf = ({ container, application }: Findings): string =>
  container === '' ? application : container;
const keyOf = (row: { subject: string; anomaly: string; fact_id: string }): string =>
  JSON.stringify([row.subject, row.anomaly, row.fact_id]);

/**
 * Brings the anomalies of what was looked at to what was found, and keeps what tells how clocks are
 * apart. Neither is money: both follow from the facts, and are replaced as these change.
 */
export async function writeFindings(trx: Trx, { findings = [], shard }: Settlement): Promise<void> {
  const groups = Map.groupBy(findings, (one) => `${topicOf(one)}\n${one.cluster}`);
  for (const group of groups.values()) {
    for (const chunk of inChunks(group, CHUNK)) await writeAnomalies(trx, chunk);
  }
  await writeClockPairs(trx, findings);
  // One of those that write is enough, and two would wait for each other.
  if (shard === 0) await forgetClockPairs(trx, new Set(findings.map(({ cluster }) => cluster)));
}

/** @param findings of one cluster and topic, each subject once */
async function writeAnomalies(trx: Trx, findings: readonly Findings[]): Promise<void> {
  const [first] = findings;
  if (first === undefined) return;
  const [cluster, topic] = [first.cluster, topicOf(first)];
  const before = await trx
    .selectFrom('anomaly')
    .selectAll()
    .where('cluster', '=', cluster)
    .where('topic', '=', topic)
    .where('subject', 'in', findings.map(subjectOf))
    .execute();
  const rows = new Map<string, AnomalyRow>();
  for (const one of findings) {
    for (const { anomaly, factId, application, project, at, detail } of one.anomalies) {
      const key = { cluster, topic, subject: subjectOf(one), anomaly, fact_id: factId };
      rows.set(keyOf(key), { ...key, application, project, at, detail });
    }
  }
  for (const row of before) {
    if (rows.has(keyOf(row))) continue;
    await trx
      .deleteFrom('anomaly')
      .where('cluster', '=', cluster)
      .where('topic', '=', topic)
      .where('subject', '=', row.subject)
      .where('anomaly', '=', row.anomaly)
      .where('fact_id', '=', row.fact_id)
      .execute();
  }
  for (const chunk of inChunks([...rows.values()], CHUNK)) {
    await trx
      .insertInto('anomaly')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.columns(['cluster', 'topic', 'subject', 'anomaly', 'fact_id']).doUpdateSet({
          application: (eb) => eb.ref('excluded.application'),
          project: (eb) => eb.ref('excluded.project'),
          detail: (eb) => eb.ref('excluded.detail'),
        }),
      )
      .execute();
  }
}

async function writeClockPairs(trx: Trx, findings: readonly Findings[]): Promise<void> {
  const rows = findings.flatMap(({ cluster, container, clockPairs }) =>
    clockPairs.map(({ startMs, stopMs, ...pair }) => ({
      ...pair,
      cluster,
      container,
      start_ms: startMs ?? null,
      stop_ms: stopMs ?? null,
    })),
  );
  for (const chunk of inChunks(rows, CHUNK)) {
    await trx
      .insertInto('clock_pair')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.columns(['cluster', 'container', 'witness']).doUpdateSet({
          reference: (eb) => eb.ref('excluded.reference'),
          host: (eb) => eb.ref('excluded.host'),
          at: (eb) => eb.ref('excluded.at'),
          start_ms: (eb) => eb.ref('excluded.start_ms'),
          stop_ms: (eb) => eb.ref('excluded.stop_ms'),
        }),
      )
      .execute();
  }
}

async function forgetClockPairs(trx: Trx, clusters: ReadonlySet<string>): Promise<void> {
  for (const cluster of clusters) {
    await trx
      .deleteFrom('clock_pair')
      .where('cluster', '=', cluster)
      .where('at', '<', (eb) =>
        eb
          .selectFrom('clock_pair as kept')
          .select('kept.at')
          .where('kept.cluster', '=', cluster)
          .orderBy('kept.at', 'desc')
          .offset(PAIRS_KEPT)
          .limit(1),
      )
      .execute();
  }
}
