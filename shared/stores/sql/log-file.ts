import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LOG_LEVELS, type LogRecord } from '../../contracts/log-record.ts';
import { type Instant, utcHour } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { type LogFileName, printLogFileName } from './log-file-name.ts';
import { instantOfRowId, RowIds } from './log-row-id.ts';
import { LOG_SCHEMA } from './log-schema.ts';
import { applicationWord, scopeWord } from './log-words.ts';
import { openSqlite } from './open-sqlite.ts';
import { sqliteError } from './sqlite-error.ts';

const MAX_NAMES = 50_000;
const WARN = LOG_LEVELS.indexOf('WARN');
/** How much of an index one step of tidying merges, in pages. */
const MERGE_PAGES = 200;

/** Unique texts, stored once per file. */
class Names {
  readonly #ids = new Map<string, number>();
  readonly #select: StatementSync;
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare('SELECT id FROM name WHERE text = ?');
    this.#insert = database.prepare('INSERT INTO name (text) VALUES (?)');
  }

  id(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#ids.size >= MAX_NAMES) this.#ids.clear();
    const found = this.#select.get(text)?.['id'];
    const id = Number(found ?? this.#insert.run(text).lastInsertRowid);
    // A copy: a slice would hold on to the whole piece of the file it was cut from.
    this.#ids.set(Buffer.from(text, 'utf8').toString('utf8'), id);
    return id;
  }

  forget(): void {
    this.#ids.clear();
  }
}

interface Volume {
  records: number;
  bytes: number;
}

/** One log file, as its writer uses it. */
export class LogFile implements Disposable {
  readonly name: LogFileName;
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #names: Names;
  readonly #rowIds: RowIds;
  readonly #insertLog: StatementSync;
  readonly #insertWords: StatementSync;
  readonly #insertId: StatementSync;
  readonly #selectId: StatementSync;
  readonly #addVolume: StatementSync;
  readonly #putCheckpoint: StatementSync;
  readonly #dropCheckpoint: StatementSync;

  /**
   * Opens or makes the file. It takes over `inherited` checkpoints before anything else, also when a
   * crash came between its making and that.
   */
  constructor(path: string, name: LogFileName, inherited: () => readonly Checkpoint[]) {
    this.name = name;
    this.path = path;
    const database = openSqlite({ file: path, schema: LOG_SCHEMA });
    this.#database = database;
    // Newest first is asked for across the whole file: few large segments serve it best.
    this.#names = new Names(database);
    const last = database.prepare('SELECT max(id) AS id FROM log WHERE id >= ? AND id < ?');
    this.#rowIds = new RowIds((from, until) => {
      const id = last.get(from, until)?.['id'];
      return id === null || id === undefined ? undefined : Number(id);
    });
    this.#insertLog = database.prepare('INSERT INTO log VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)');
    this.#insertWords = database.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)');
    this.#insertId = database.prepare('INSERT OR IGNORE INTO record_id VALUES (?, ?)');
    this.#selectId = database.prepare('SELECT 1 FROM record_id WHERE project = ? AND id = ?');
    this.#addVolume = database.prepare(
      `INSERT INTO volume VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        records = records + excluded.records, bytes = bytes + excluded.bytes`,
    );
    this.#putCheckpoint = database.prepare('INSERT OR REPLACE INTO checkpoint VALUES (?, ?)');
    this.#dropCheckpoint = database.prepare('DELETE FROM checkpoint WHERE source = ?');
    const anything = database.prepare('SELECT 1 FROM checkpoint UNION ALL SELECT 1 FROM log').get();
    if (anything === undefined) this.transaction(() => this.putCheckpoints(inherited()));
  }

  /** All or nothing, durable when it returns. */
  transaction<T>(work: () => T): T {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#names.forget();
      this.#rowIds.forget();
      throw sqliteError(error, this.path);
    }
  }

  /** Inside a transaction. Records must not have been stored before. */
  insert(records: readonly LogRecord[], now: Instant): void {
    // In order of time, so that the table grows at its end.
    const sorted = records.toSorted((a, b) => a.at - b.at);
    const volumes = new Map<number, Volume>();
    for (const record of sorted) {
      const project = this.#insertOne(record);
      let volume = volumes.get(project);
      if (volume === undefined) {
        volume = { records: 0, bytes: 0 };
        volumes.set(project, volume);
      }
      volume.records += 1;
      volume.bytes += record.message.length;
    }
    for (const [project, { records: count, bytes }] of volumes) {
      this.#addVolume.run(project, utcHour(now), count, bytes);
    }
  }

  #insertOne(record: LogRecord): number {
    const names = this.#names;
    const id = this.#rowIds.take(record.at);
    const project = names.id(record.project);
    const application = names.id(record.application);
    const container = names.id(record.container);
    const level = LOG_LEVELS.indexOf(record.level);
    this.#insertLog.run(
      id,
      record.at - instantOfRowId(id),
      project,
      names.id(record.cluster),
      application,
      container,
      level,
      names.id(record.logger),
      names.id(record.marks.join(',')),
      Buffer.from(record.fingerprint, 'hex'),
      record.thread,
      record.message,
      record.id ?? null,
    );
    let scope = ` ${scopeWord('p', project)} ${applicationWord(project, application)}`;
    scope += ` ${scopeWord('c', container)} ${scopeWord('f', record.fingerprint)}`;
    for (let above = WARN; above <= level; above += 1) scope += ` ${scopeWord('l', above)}`;
    this.#insertWords.run(id, `${record.message} ${record.logger}${scope}`);
    return project;
  }

  hasId(project: string, id: string): boolean {
    return this.#selectId.get(project, id) !== undefined;
  }

  /** False when it is there already. */
  addId(project: string, id: string): boolean {
    return Number(this.#insertId.run(project, id).changes) === 1;
  }

  /** An empty position removes one. */
  putCheckpoints(checkpoints: readonly Checkpoint[]): void {
    for (const { source, position } of checkpoints) {
      if (position === '') this.#dropCheckpoint.run(source);
      else this.#putCheckpoint.run(source, position);
    }
  }

  checkpoints(prefix: string): Checkpoint[] {
    return this.#database
      .prepare('SELECT source, position FROM checkpoint WHERE substr(source, 1, length(?1)) = ?1')
      .all(prefix)
      .map(({ source, position }) => ({ source: String(source), position: String(position) }));
  }

  /** Merges some of the text index; false when there is nothing left to merge. */
  tidy(): boolean {
    const changes = (): number =>
      Number(this.#database.prepare('SELECT total_changes() AS n').get()?.['n']);
    const before = changes();
    this.transaction(() =>
      this.#database
        .prepare("INSERT INTO words (words, rank) VALUES ('merge', ?)")
        .run(-MERGE_PAGES),
    );
    // The command itself counts as one change. Source: https://www.sqlite.org/fts5.html#the_merge_command
    return changes() - before >= 2;
  }

  toString(): string {
    return printLogFileName(this.name);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
