import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type {
  Quarantine,
  QuarantineCount,
  QuarantinedRecord,
  QuarantineFilter,
} from '../quarantine.ts';
import { openSqlite, type SqliteSchema } from './open-sqlite.ts';
import { sqliteError } from './sqlite-error.ts';

const SCHEMA: SqliteSchema = {
  name: 'quarantine',
  applicationId: 0x74717561,
  migrations: [
    `
    CREATE TABLE refused (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      collector TEXT NOT NULL,
      source TEXT NOT NULL,
      reason TEXT NOT NULL,
      project TEXT NOT NULL,
      observed_at INTEGER NOT NULL,
      raw TEXT NOT NULL,
      bytes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX refused_by_reason ON refused (collector, reason);
    CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER NOT NULL) STRICT;
    INSERT INTO total VALUES (1, 0);
    `,
    'CREATE INDEX refused_observed ON refused (observed_at, collector, reason);',
  ],
};

const MAX_RAW = 64 * 1024;
/** What a row takes beside its texts. */
const ROW_BYTES = 100;
const EVICT_ROWS = 100;

export interface QuarantineOptions {
  /** Path of its own file, or `:memory:`. */
  readonly file: string;
  /** Default 256 MiB; the oldest go when it is passed. */
  readonly maxBytes?: number;
  /** Told how many went because it was full. */
  readonly onEvicted?: (records: number) => void;
}

/** Quarantine in a SQLite file; several threads of one process may open it. */
export class SqliteQuarantine implements Quarantine {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #onEvicted: ((records: number) => void) | undefined;

  constructor(options: QuarantineOptions) {
    this.#file = options.file;
    this.#maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
    this.#onEvicted = options.onEvicted;
    this.#database = openSqlite({ file: options.file, schema: SCHEMA });
  }

  async put(records: readonly QuarantinedRecord[]): Promise<void> {
    if (records.length === 0) return;
    let evicted = 0;
    this.#transaction(() => {
      const insert = this.#database.prepare(
        `INSERT OR IGNORE INTO refused
          (id, collector, source, reason, project, observed_at, raw, bytes)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      );
      let added = 0;
      for (const { id, collector, source, reason, project, observedAt, raw } of records) {
        const text = raw.slice(0, MAX_RAW).toWellFormed();
        const bytes = ROW_BYTES + 2 * id.length + source.length + text.length;
        const { changes } = insert.run(
          id,
          collector,
          source,
          reason,
          project,
          Math.trunc(observedAt),
          text,
          bytes,
        );
        if (Number(changes) === 1) added += bytes;
      }
      evicted = this.#evict(this.#addTotal(added));
    });
    if (evicted > 0) this.#onEvicted?.(evicted);
  }

  /** Newest first. */
  async list(filter: QuarantineFilter): Promise<QuarantinedRecord[]> {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    for (const name of ['collector', 'reason', 'project'] as const) {
      const value = filter[name];
      if (value === undefined) continue;
      conditions.push(`${name} = ?`);
      values.push(value);
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    return this.#attempt(() =>
      this.#database
        .prepare(`SELECT * FROM refused ${where} ORDER BY seq DESC LIMIT ?`)
        .all(...values, Math.max(0, Math.trunc(filter.limit)))
        .map((row) => ({
          id: String(row['id']),
          collector: String(row['collector']) as QuarantinedRecord['collector'],
          source: String(row['source']),
          reason: String(row['reason']),
          project: String(row['project']),
          observedAt: Number(row['observed_at']),
          raw: String(row['raw']),
        })),
    );
  }

  async count({
    project,
    since,
  }: NonNullable<Parameters<Quarantine['count']>[0]> = {}): Promise<QuarantineCount[]> {
    const conditions = [
      ...(project === undefined ? [] : ['project = ?']),
      ...(since === undefined ? [] : ['observed_at >= ?']),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    return this.#attempt(() =>
      this.#database
        .prepare(
          `SELECT collector, reason, count(*) AS records FROM refused ${where}
            GROUP BY 1, 2 ORDER BY 1, 2`,
        )
        .all(...[project, since].filter((value) => value !== undefined))
        .map((row) => ({
          collector: String(row['collector']),
          reason: String(row['reason']),
          records: Number(row['records']),
        })),
    );
  }

  async remove(ids: readonly string[]): Promise<number> {
    return this.#transaction(() => {
      const remove = this.#database.prepare('DELETE FROM refused WHERE id = ? RETURNING bytes');
      let removed = 0;
      let bytes = 0;
      for (const id of ids) {
        const row = remove.get(id);
        if (row === undefined) continue;
        removed += 1;
        bytes += Number(row['bytes']);
      }
      this.#addTotal(-bytes);
      return removed;
    });
  }

  #addTotal(bytes: number): number {
    const row = this.#database
      .prepare('UPDATE total SET bytes = max(0, bytes + ?) RETURNING bytes')
      .get(bytes);
    return Number(row?.['bytes']);
  }

  #evict(total: number): number {
    const oldest = this.#database.prepare('SELECT seq, bytes FROM refused ORDER BY seq LIMIT ?');
    const remove = this.#database.prepare('DELETE FROM refused WHERE seq = ?');
    let over = total - this.#maxBytes;
    let evicted = 0;
    let freed = 0;
    while (over > 0) {
      const rows = oldest.all(EVICT_ROWS);
      if (rows.length === 0) break;
      for (const row of rows) {
        if (over <= 0) break;
        remove.run(Number(row['seq']));
        over -= Number(row['bytes']);
        freed += Number(row['bytes']);
        evicted += 1;
      }
    }
    if (freed > 0) this.#addTotal(-freed);
    return evicted;
  }

  #transaction<T>(work: () => T): T {
    return this.#attempt(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sqliteError(error, this.#file);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}

export function openQuarantine(options: QuarantineOptions): Promise<SqliteQuarantine> {
  return Promise.resolve(new SqliteQuarantine(options));
}
