import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { LOG_LEVELS, type LogLevel } from '../../contracts/log-record.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { StoredLog } from '../log-store.ts';
import { type LogFileName, printLogFileName } from './log-file-name.ts';
import { instantOfRowId } from './log-row-id.ts';
import { LOG_SCHEMA } from './log-schema.ts';
import {
  applicationWord,
  holdsPhrases,
  matchExpression,
  scopeWord,
  type TextQuery,
} from './log-words.ts';
import { openSqlite } from './open-sqlite.ts';

/** What rows are asked of one file. */
export interface RowQuery {
  readonly project: ProjectId;
  readonly from: Instant;
  readonly until: Instant;
  readonly text: TextQuery;
  readonly minLevel: LogLevel | undefined;
  readonly application: string | undefined;
  readonly container: string | undefined;
  readonly fingerprint: string | undefined;
  /** Row ids `[lowId, highId]`. */
  readonly lowId: number;
  readonly highId: number;
}

/** A row that was looked at; without a record when it isn't one of the hits after all. */
export interface SeenRow {
  readonly id: number;
  readonly record: StoredLog | undefined;
}

const WARN = LOG_LEVELS.indexOf('WARN');

/** One log file, as a reader uses it. */
export class LogReadFile implements Disposable {
  readonly name: LogFileName;
  readonly #database: DatabaseSync;
  readonly #names = new Map<number, string>();

  constructor(path: string, name: LogFileName) {
    this.name = name;
    this.#database = openSqlite({ file: path, schema: LOG_SCHEMA, readOnly: true });
  }

  /** Lowest and highest row id; undefined when there is none. */
  span(): { low: number; high: number } | undefined {
    const row = this.#database
      .prepare('SELECT (SELECT min(id) FROM log) AS low, (SELECT max(id) FROM log) AS high')
      .get();
    const low = row?.['low'];
    return low === null || low === undefined
      ? undefined
      : { low: Number(low), high: Number(row?.['high']) };
  }

  /** Rows that the index names, newest first, read one by one as they are asked for. */
  *rows(query: RowQuery): Generator<SeenRow> {
    const scope = this.#scope(query);
    if (scope === undefined) return;
    const match = matchExpression([...scope, ...query.text.words], query.text.prefixes);
    const values: SQLInputValue[] = [match, query.lowId, query.highId];
    const rows = this.#database
      .prepare(
        `SELECT log.* FROM words JOIN log ON log.id = words.rowid
        WHERE words MATCH ? AND words.rowid >= ? AND words.rowid <= ? ORDER BY words.rowid DESC`,
      )
      .iterate(...values);
    for (const row of rows) {
      const id = Number(row['id']);
      const record = this.#record(id, row);
      yield { id, record: isHit(record, query) ? record : undefined };
    }
  }

  volume(project: ProjectId, fromHour: Instant): { records: number; bytes: number } {
    const row = this.#database
      .prepare(
        `SELECT sum(records) AS records, sum(bytes) AS bytes FROM volume
        WHERE project = (SELECT id FROM name WHERE text = ?) AND hour >= ?`,
      )
      .get(project, fromHour);
    return { records: Number(row?.['records'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  /** Undefined when the file has nothing of this project or application. */
  #scope(query: RowQuery): string[] | undefined {
    const { project, application, container } = query;
    const ids = this.#ids([project, application, container]);
    if (ids === undefined) return undefined;
    const [projectId = 0, applicationId, containerId] = ids;
    const words: string[] = [
      applicationId === undefined
        ? scopeWord('p', projectId)
        : applicationWord(projectId, applicationId),
    ];
    if (containerId !== undefined) words.push(scopeWord('c', containerId));
    if (query.fingerprint !== undefined) {
      if (!/^[0-9a-f]{16}$/.test(query.fingerprint)) return undefined;
      words.push(scopeWord('f', query.fingerprint));
    }
    const level = query.minLevel === undefined ? 0 : LOG_LEVELS.indexOf(query.minLevel);
    if (level >= WARN) words.push(scopeWord('l', level));
    return words;
  }

  /** The ids of names; undefined when the file lacks one that is given. */
  #ids(names: readonly (string | undefined)[]): (number | undefined)[] | undefined {
    const select = this.#database.prepare('SELECT id FROM name WHERE text = ?');
    const ids = names.map((text) => (text === undefined ? undefined : select.get(text)?.['id']));
    if (ids.some((id, i) => id === undefined && names[i] !== undefined)) return undefined;
    return ids.map((id) => (id === undefined ? undefined : Number(id)));
  }

  #name(id: unknown): string {
    const key = Number(id);
    let text = this.#names.get(key);
    if (text === undefined) {
      text = String(
        this.#database.prepare('SELECT text FROM name WHERE id = ?').get(key)?.['text'],
      );
      this.#names.set(key, text);
    }
    return text;
  }

  #record(id: number, row: Record<string, unknown>): StoredLog {
    const marks = this.#name(row['marks']);
    return {
      key: `${printLogFileName(this.name).slice(5, -3)}_${id}`,
      at: instantOfRowId(id) + Number(row['shift']),
      project: this.#name(row['project']) as ProjectId,
      cluster: this.#name(row['cluster']),
      application: this.#name(row['application']),
      container: this.#name(row['container']),
      level: LOG_LEVELS[Number(row['level'])] ?? 'UNKNOWN',
      logger: this.#name(row['logger']),
      thread: String(row['thread']),
      message: String(row['message']),
      fingerprint: Buffer.from(row['fingerprint'] as Uint8Array).toString('hex'),
      marks: marks === '' ? [] : marks.split(','),
      ...(row['record_id'] === null ? {} : { id: String(row['record_id']) }),
    };
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** The index may name too many: words of other scopes, words that aren't next to each other. */
function isHit(record: StoredLog, query: RowQuery): boolean {
  const { application, container, fingerprint, minLevel } = query;
  return (
    record.project === query.project &&
    record.at >= query.from &&
    record.at < query.until &&
    (application === undefined || record.application === application) &&
    (container === undefined || record.container === container) &&
    (fingerprint === undefined || record.fingerprint === fingerprint) &&
    (minLevel === undefined || LOG_LEVELS.indexOf(record.level) >= LOG_LEVELS.indexOf(minLevel)) &&
    holdsPhrases(`${record.message} ${record.logger}`, query.text.phrases)
  );
}
