import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Instant } from '../../values/instant.ts';
import { ColumnEncoder } from './metric-columns.ts';
import { type Minutes, minuteColumns } from './metric-minutes.ts';
import type { SeriesRow } from './metric-raw-file.ts';
import { openSqlite, type SqliteSchema } from './open-sqlite.ts';
import { sqliteError } from './sqlite-error.ts';

const MIGRATION = `
-- Ids are those of the raw file of the same day and part, which goes first.
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  project TEXT NOT NULL, measurement TEXT NOT NULL, field TEXT NOT NULL, tags TEXT NOT NULL,
  UNIQUE (project, measurement, field, tags)
) STRICT;
-- One-minute aggregates of a series and hour; sealing an hour again replaces them.
CREATE TABLE minutes (
  series INTEGER NOT NULL, hour INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (series, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE span (
  id INTEGER PRIMARY KEY CHECK (id = 1), min_at INTEGER NOT NULL, max_at INTEGER NOT NULL
) STRICT;
`;

/** Kind of file: one-minute aggregates of one day of arrival. */
export const METRIC_MINUTES_SCHEMA: SqliteSchema = {
  name: 'metric minutes',
  applicationId: 0x54474d32,
  migrations: [MIGRATION],
};

export interface SealedSeries {
  readonly series: SeriesRow & { id: number };
  readonly hour: Instant;
  readonly minutes: Minutes;
}

/** The one-minute aggregates that are kept when the raw file of the same name is gone. */
export class MetricMinutesFile implements Disposable {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #addSeries: StatementSync;
  readonly #put: StatementSync;
  readonly #span: StatementSync;
  readonly #encoder = new ColumnEncoder();

  constructor(path: string) {
    this.#path = path;
    this.#db = openSqlite({ file: path, schema: METRIC_MINUTES_SCHEMA });
    this.#addSeries = this.#db.prepare(
      'INSERT OR IGNORE INTO series (id, project, measurement, field, tags) VALUES (?, ?, ?, ?, ?)',
    );
    this.#put = this.#db.prepare(
      'INSERT OR REPLACE INTO minutes (series, hour, data) VALUES (?, ?, ?)',
    );
    this.#span = this.#db.prepare(`INSERT INTO span (id, min_at, max_at) VALUES (1, ?, ?)
      ON CONFLICT (id) DO UPDATE
      SET min_at = min(min_at, excluded.min_at), max_at = max(max_at, excluded.max_at)`);
  }

  /** One durable transaction; doing it again changes nothing. */
  put(rows: readonly SealedSeries[]): void {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const { series, hour, minutes } of rows) {
        this.#addSeries.run(
          series.id,
          series.project,
          series.measurement,
          series.field,
          series.tags,
        );
        const count = minutes.minute.length;
        this.#put.run(series.id, hour, this.#encoder.encode(minuteColumns(minutes), 0, count));
        this.#span.run(minutes.minute[0] ?? hour, minutes.minute[count - 1] ?? hour);
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw sqliteError(error, this.#path);
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
