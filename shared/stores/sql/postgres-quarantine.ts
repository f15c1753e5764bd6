import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import type {
  Quarantine,
  QuarantineCount,
  QuarantinedRecord,
  QuarantineFilter,
} from '../quarantine.ts';
import type { PostgresConfig } from './config.ts';
import { inChunks } from './in-chunks.ts';
import { type Connections, openPostgresPool } from './postgres-pool.ts';

interface QuarantineTables {
  refused: {
    seq: never;
    id: string;
    collector: string;
    source: string;
    reason: string;
    project: string;
    observed_at: bigint | number;
    raw: Uint8Array;
    bytes: bigint | number;
  };
  refused_total: { one: number; bytes: bigint | number };
}

type Trx = Transaction<QuarantineTables>;

const CHUNK = 100;
const MAX_RAW = 64 * 1024;
/** What a row takes beside its texts. */
const ROW_BYTES = 100;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

export interface PostgresQuarantineOptions {
  /** Default 256 MiB; the oldest go when it is passed. */
  readonly maxBytes?: number;
  /** Told how many went because it was full. */
  readonly onEvicted?: (records: number) => void;
}

function rowOf(record: QuarantinedRecord) {
  const { id, collector, source, reason, project, observedAt } = record;
  // Bytes, since PostgreSQL's text can't hold a NUL, and a record is kept as it came.
  const raw = Buffer.from(record.raw.slice(0, MAX_RAW).toWellFormed());
  return {
    ...{ id, collector, source, reason, project, raw },
    observed_at: Math.trunc(observedAt),
    bytes: ROW_BYTES + 2 * id.length + source.length + raw.length,
  };
}

/** Quarantine on PostgreSQL, shared by all processes. */
export class PostgresQuarantine implements Quarantine {
  readonly #db: Kysely<QuarantineTables>;
  readonly #pool: Connections;
  readonly #maxBytes: number;
  readonly #onEvicted: ((records: number) => void) | undefined;

  /** @param pool is closed with the store */
  constructor(pool: Connections, options: PostgresQuarantineOptions = {}) {
    this.#pool = pool;
    this.#db = new Kysely({ dialect: new PostgresDialect({ pool }) });
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#onEvicted = options.onEvicted;
  }

  async put(records: readonly QuarantinedRecord[]): Promise<void> {
    if (records.length === 0) return;
    const evicted = await this.#db.transaction().execute(async (trx) => {
      // First the total's row: who holds it writes alone, in whatever order records come.
      const total = await lockTotal(trx);
      let added = 0;
      for (const chunk of inChunks(records, CHUNK)) {
        const rows = await trx
          .insertInto('refused')
          .values(chunk.map(rowOf))
          .onConflict((conflict) => conflict.doNothing())
          .returning('bytes')
          .execute();
        added += rows.reduce((sum, { bytes }) => sum + Number(bytes), 0);
      }
      const { freed, evicted } = await this.#evict(trx, total + added);
      await setTotal(trx, total + added - freed);
      return evicted;
    });
    if (evicted > 0) this.#onEvicted?.(evicted);
  }

  /** Newest first. */
  async list(filter: QuarantineFilter): Promise<QuarantinedRecord[]> {
    let query = this.#db.selectFrom('refused').selectAll().orderBy('seq', 'desc');
    for (const name of ['collector', 'reason', 'project'] as const) {
      const value = filter[name];
      if (value !== undefined) query = query.where(name, '=', value);
    }
    const rows = await query.limit(Math.max(0, Math.trunc(filter.limit))).execute();
    return rows.map((row) => ({
      id: row.id,
      collector: row.collector as QuarantinedRecord['collector'],
      source: row.source,
      reason: row.reason,
      project: row.project,
      observedAt: Number(row.observed_at),
      raw: Buffer.from(row.raw).toString(),
    }));
  }

  async count({
    project,
    since,
  }: NonNullable<Parameters<Quarantine['count']>[0]> = {}): Promise<QuarantineCount[]> {
    const rows = await this.#db
      .selectFrom('refused')
      .select(['collector', 'reason', (eb) => eb.fn.countAll().as('records')])
      .$if(project !== undefined, (query) => query.where('project', '=', project ?? ''))
      .$if(since !== undefined, (query) => query.where('observed_at', '>=', since ?? 0))
      .groupBy(['collector', 'reason'])
      .orderBy('collector')
      .orderBy('reason')
      .execute();
    return rows.map(({ collector, reason, records }) => ({
      collector,
      reason,
      records: Number(records),
    }));
  }

  async remove(ids: readonly string[]): Promise<number> {
    return this.#db.transaction().execute(async (trx) => {
      const total = await lockTotal(trx);
      let [removed, freed] = [0, 0];
      for (const chunk of inChunks(ids, CHUNK)) {
        const rows = await trx
          .deleteFrom('refused')
          .where('id', 'in', chunk)
          .returning('bytes')
          .execute();
        removed += rows.length;
        freed += rows.reduce((sum, { bytes }) => sum + Number(bytes), 0);
      }
      await setTotal(trx, total - freed);
      return removed;
    });
  }

  /** The oldest, as many as are needed to come down to the bound. */
  async #evict(trx: Trx, total: number): Promise<{ freed: number; evicted: number }> {
    const over = total - this.#maxBytes;
    if (over <= 0) return { freed: 0, evicted: 0 };
    const { rows } = await sql<{ bytes: bigint | number }>`
      DELETE FROM refused WHERE seq IN (
        SELECT seq FROM (
          SELECT seq, sum(bytes) OVER (ORDER BY seq) - bytes AS before FROM refused
        ) AS aged WHERE before < ${over}
      ) RETURNING bytes`.execute(trx);
    return {
      freed: rows.reduce((sum, { bytes }) => sum + Number(bytes), 0),
      evicted: rows.length,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }
}

async function lockTotal(trx: Trx): Promise<number> {
  const row = await trx
    .selectFrom('refused_total')
    .select('bytes')
    .forUpdate()
    .executeTakeFirstOrThrow();
  return Number(row.bytes);
}

async function setTotal(trx: Trx, bytes: number): Promise<void> {
  await trx
    .updateTable('refused_total')
    .set({ bytes: Math.max(0, bytes) })
    .execute();
}

export async function openPostgresQuarantine(
  config: PostgresConfig,
  options: PostgresQuarantineOptions = {},
): Promise<Quarantine> {
  return new PostgresQuarantine(openPostgresPool(config), options);
}
