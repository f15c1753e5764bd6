import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { assert } from '../../errors/assert.ts';
import { type Instant, isInstant } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { MetricFileName } from './metric-file-name.ts';
import type { PointColumns } from './metric-point-order.ts';
import { openSqlite, type SqliteSchema } from './open-sqlite.ts';
import { sqliteError } from './sqlite-error.ts';

/** How a series is written in a file: `tags` is JSON with its keys in order. */
export interface SeriesRow {
  readonly project: string;
  readonly measurement: string;
  readonly field: string;
  readonly tags: string;
}

/** Points of one series within one UTC hour; of equal times, the chunk with the higher id counts. */
export interface ChunkRow {
  readonly series: number;
  readonly untilAt: Instant;
  readonly data: Uint8Array;
}

const MIGRATION = `
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  project TEXT NOT NULL, measurement TEXT NOT NULL, field TEXT NOT NULL, tags TEXT NOT NULL,
  UNIQUE (project, measurement, field, tags)
) STRICT;
-- The tail: one row a commit, columns as the machine has them. A reader looks at series first, so
-- that comes first; compaction turns rows into chunks and removes them.
CREATE TABLE batch (
  id INTEGER PRIMARY KEY, points INTEGER NOT NULL,
  min_at INTEGER NOT NULL, max_at INTEGER NOT NULL,
  series BLOB NOT NULL, at BLOB NOT NULL, value BLOB NOT NULL
) STRICT;
-- Points of one series and hour; until_at is its newest point. Appended, so that writing touches
-- few pages; the index finds them by series.
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, until_at INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE INDEX chunk_series ON chunk (series, until_at);
-- Hours (by event time) that have chunks. sealed = 1: merged, and its minutes are in the other file.
CREATE TABLE hour (
  hour INTEGER PRIMARY KEY, version INTEGER NOT NULL, sealed INTEGER NOT NULL
) STRICT;
CREATE TABLE checkpoint (
  source TEXT PRIMARY KEY, position TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- One row: event times of everything in the file, so that readers can pass it by.
CREATE TABLE span (
  id INTEGER PRIMARY KEY CHECK (id = 1), min_at INTEGER NOT NULL, max_at INTEGER NOT NULL
) STRICT;
-- Has its row once the checkpoints of the file before are in.
CREATE TABLE inherited (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
`;

/** Kind of file: raw points of one day of arrival. */
export const METRIC_RAW_SCHEMA: SqliteSchema = {
  name: 'metrics',
  applicationId: 0x54474d31,
  migrations: [MIGRATION],
};

const STATEMENTS = {
  addSeries: 'INSERT INTO series (project, measurement, field, tags) VALUES (?, ?, ?, ?)',
  findSeries:
    'SELECT id FROM series WHERE project = ? AND measurement = ? AND field = ? AND tags = ?',
  addBatch:
    'INSERT INTO batch (points, min_at, max_at, series, at, value) VALUES (?, ?, ?, ?, ?, ?)',
  batches: 'SELECT id, points, series, at, value FROM batch ORDER BY id',
  removeBatches: 'DELETE FROM batch WHERE id <= ?',
  addChunk: 'INSERT INTO chunk (series, until_at, data) VALUES (?, ?, ?)',
  chunks:
    'SELECT id, data FROM chunk WHERE series = ? AND until_at >= ? AND until_at < ? ORDER BY id',
  removeChunk: 'DELETE FROM chunk WHERE id = ?',
  touchHour: `INSERT INTO hour (hour, version, sealed) VALUES (?, 1, 0)
    ON CONFLICT (hour) DO UPDATE SET version = version + 1, sealed = 0`,
  unsealed: 'SELECT hour, version FROM hour WHERE sealed = 0 ORDER BY hour',
  seal: 'UPDATE hour SET sealed = 1 WHERE hour = ? AND version = ?',
  seriesFrom:
    'SELECT id, project, measurement, field, tags FROM series WHERE id > ? ORDER BY id LIMIT ?',
  span: `INSERT INTO span (id, min_at, max_at) VALUES (1, ?, ?) ON CONFLICT (id)
    DO UPDATE SET min_at = min(min_at, excluded.min_at), max_at = max(max_at, excluded.max_at)`,
  putCheckpoint: `INSERT INTO checkpoint (source, position) VALUES (?, ?)
    ON CONFLICT (source) DO UPDATE SET position = excluded.position`,
  checkpoints:
    'SELECT source, position FROM checkpoint WHERE substr(source, 1, length(?1)) = ?1 ORDER BY source',
  tail: 'SELECT coalesce(sum(points), 0) AS points FROM batch',
} as const;

type Statements = Record<keyof typeof STATEMENTS, StatementSync>;

/** The raw points of one day of arrival, for its one writer. Calls are synchronous. */
export class MetricRawFile implements Disposable {
  readonly path: string;
  readonly name: MetricFileName;
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  #tailPoints: number;

  /**
   * Opens or makes the file. It takes over `inherited` checkpoints once, before anything else, also
   * when a crash came between its making and that.
   */
  constructor(path: string, name: MetricFileName, inherited: () => readonly Checkpoint[]) {
    this.path = path;
    this.name = name;
    this.#db = openSqlite({ file: path, schema: METRIC_RAW_SCHEMA });
    const prepared: Partial<Statements> = {};
    for (const key of Object.keys(STATEMENTS) as (keyof Statements)[]) {
      prepared[key] = this.#db.prepare(STATEMENTS[key]);
    }
    this.#statements = prepared as Statements;
    this.#tailPoints = Number(this.#statements.tail.get()?.['points']);
    this.#inherit(inherited);
  }

  #inherit(inherited: () => readonly Checkpoint[]): void {
    if (this.#db.prepare('SELECT 1 FROM inherited').get() !== undefined) return;
    this.transaction(() => {
      this.putCheckpoints(inherited());
      this.#db.exec('INSERT INTO inherited VALUES (1)');
    });
  }

  /** Points that are not compacted yet. */
  get tailPoints(): number {
    return this.#tailPoints;
  }

  /** Runs `work` as one durable transaction; nothing of it stays when it throws. */
  transaction<T>(work: () => T): T {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw sqliteError(error, this.path);
    }
  }

  /** The file's id of a series, made when it is new. */
  seriesId(row: SeriesRow): number {
    const { project, measurement, field, tags } = row;
    const found = this.#statements.findSeries.get(project, measurement, field, tags);
    if (found !== undefined) return Number(found['id']);
    const added = this.#statements.addSeries.run(project, measurement, field, tags);
    return Number(added.lastInsertRowid);
  }

  /** Inside a transaction. `commit` the count with `tailGrew` once it is through. */
  appendBatch(points: PointColumns): void {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const at of points.at) {
      assert(isInstant(at), 'the time of a point is an instant in whole milliseconds');
      if (at < min) min = at;
      if (at > max) max = at;
    }
    const { addBatch, span } = this.#statements;
    const count = points.series.length;
    addBatch.run(count, min, max, points.series, points.at, points.value);
    span.run(min, max);
  }

  tailGrew(points: number): void {
    this.#tailPoints += points;
  }

  putCheckpoints(checkpoints: readonly Checkpoint[]): void {
    for (const { source, position } of checkpoints) {
      this.#statements.putCheckpoint.run(source, position);
    }
  }

  checkpoints(prefix: string): Checkpoint[] {
    return this.#statements.checkpoints.all(prefix).map((row) => ({
      source: String(row['source']),
      position: String(row['position']),
    }));
  }

  /** The oldest batches, about `maxPoints` of them, joined in order of arrival. */
  readTail(maxPoints: number): { points: PointColumns; lastBatch: number } | undefined {
    const rows: Record<string, unknown>[] = [];
    let count = 0;
    for (const row of this.#statements.batches.iterate()) {
      rows.push(row);
      count += Number(row['points']);
      if (count >= maxPoints) break;
    }
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    const points = {
      series: new Uint32Array(count),
      at: new Float64Array(count),
      value: new Float64Array(count),
    };
    let offset = 0;
    for (const row of rows) {
      const batch = batchColumns(row);
      points.series.set(batch.series, offset);
      points.at.set(batch.at, offset);
      points.value.set(batch.value, offset);
      offset += batch.series.length;
    }
    return { points, lastBatch: Number(last['id']) };
  }

  /** In one transaction: chunks replace the batches up to `lastBatch`. */
  replaceTail(tail: { chunks: Iterable<ChunkRow>; hours: Set<Instant>; lastBatch: number }): void {
    this.transaction(() => {
      for (const { series, untilAt, data } of tail.chunks) {
        this.#statements.addChunk.run(series, untilAt, data);
      }
      for (const hour of tail.hours) this.#statements.touchHour.run(hour);
      this.#statements.removeBatches.run(tail.lastBatch);
    });
    this.#tailPoints = Number(this.#statements.tail.get()?.['points']);
  }

  /** Chunks of a series whose newest point is in `[from, until)`, oldest write first. */
  chunks(series: number, from: Instant, until: Instant): { id: number; data: Uint8Array }[] {
    return this.#statements.chunks.all(series, from, until) as { id: number; data: Uint8Array }[];
  }

  /** Inside a transaction. */
  replaceChunks(ids: readonly number[], merged: ChunkRow): void {
    for (const id of ids) this.#statements.removeChunk.run(id);
    this.#statements.addChunk.run(merged.series, merged.untilAt, merged.data);
  }

  unsealedHours(): { hour: Instant; version: number }[] {
    return this.#statements.unsealed.all() as { hour: Instant; version: number }[];
  }

  /** Marks the hour sealed, unless points came in since `version` was read. */
  seal(hour: Instant, version: number): void {
    this.transaction(() => this.#statements.seal.run(hour, version));
  }

  seriesAfter(id: number, limit: number): (SeriesRow & { id: number })[] {
    return this.#statements.seriesFrom.all(id, limit) as unknown as (SeriesRow & { id: number })[];
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

function aligned(blob: unknown): ArrayBuffer {
  const bytes = blob as Uint8Array<ArrayBuffer>;
  return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
    ? bytes.buffer
    : bytes.slice().buffer;
}

/** The columns of a row of the table `batch`. */
export function batchColumns(row: Readonly<Record<string, unknown>>): PointColumns {
  return {
    series: new Uint32Array(aligned(row['series'])),
    at: new Float64Array(aligned(row['at'])),
    value: new Float64Array(aligned(row['value'])),
  };
}
