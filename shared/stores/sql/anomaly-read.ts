import { type Kysely, sql } from 'kysely';
import type { LedgerAnomaly } from '../../contracts/anomaly.ts';
import type { Witness } from '../../contracts/container-fact.ts';
import { AppError } from '../../errors/app-error.ts';
import type { ClockPair } from '../../intervals/clock-skew.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { AnomalyReader } from '../anomaly-reader.ts';
import type { LedgerTables } from './ledger-schema.ts';

type Asked = Parameters<AnomalyReader['anomalies']>;
type Key = readonly [
  at: number,
  cluster: string,
  topic: string,
  subject: string,
  anomaly: string,
  fact: string,
];

function parseCursor(cursor: string): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(key) && Number.isSafeInteger(key[0]) && key.length === 6) {
      const [at, cluster, topic, subject, anomaly, fact] = key.map(String);
      return [Number(at), cluster ?? '', topic ?? '', subject ?? '', anomaly ?? '', fact ?? ''];
    }
  } catch {
    // Said below, as for any other text that isn't a cursor.
  }
  throw new AppError('BAD_REQUEST', 'the cursor is not one of an earlier page; leave it out');
}

/** @throws AppError BAD_REQUEST for a cursor that is none */
export async function readAnomalies(
  db: Kysely<LedgerTables>,
  asked: { project: Asked[0]; window: Asked[1]; page: Asked[2] },
): Promise<{ anomalies: LedgerAnomaly[]; cursor?: string }> {
  const { project, window, page } = asked;
  const { limit, anomaly, cursor } = page;
  const after = cursor === undefined ? undefined : parseCursor(cursor);
  const rows = await db
    .selectFrom('anomaly')
    .selectAll()
    .where('project', '=', project)
    .where('at', '>=', Math.max(window.from, after?.[0] ?? window.from))
    .where('at', '<', window.until)
    .$if(anomaly !== undefined, (query) => query.where('anomaly', '=', anomaly ?? ''))
    .$if(after !== undefined, (query) =>
      query.where(
        sql<boolean>`(at, cluster, topic, subject, anomaly, fact_id) > (${sql.join([...(after ?? [])])})`,
      ),
    )
    .orderBy('at')
    .orderBy('cluster')
    .orderBy('topic')
    .orderBy('subject')
    .orderBy('anomaly')
    .orderBy('fact_id')
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const anomalies = shown.map((row) => ({
    anomaly: row.anomaly,
    factId: row.fact_id,
    at: Number(row.at),
    project: row.project as ProjectId,
    cluster: row.cluster,
    application: row.application,
    container: row.topic === 'container' ? row.subject : '',
    detail: row.detail,
  }));
  if (rows.length <= limit || last === undefined) return { anomalies };
  const key: Key = [
    Number(last.at),
    last.cluster,
    last.topic,
    last.subject,
    last.anomaly,
    last.fact_id,
  ];
  return { anomalies, cursor: Buffer.from(JSON.stringify(key)).toString('base64url') };
}

export async function readClockPairs(
  db: Kysely<LedgerTables>,
  cluster: string,
): Promise<ClockPair[]> {
  const numberOf = (value: bigint | number | null) => (value === null ? undefined : Number(value));
  const rows = await db
    .selectFrom('clock_pair')
    .selectAll()
    .where('cluster', '=', cluster)
    .orderBy('at', 'desc')
    .limit(2_000)
    .execute();
  return rows.map((row) => ({
    witness: row.witness as Witness,
    reference: row.reference as Witness,
    host: row.host,
    at: Number(row.at),
    startMs: numberOf(row.start_ms),
    stopMs: numberOf(row.stop_ms),
  }));
}
