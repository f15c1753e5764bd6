import { existsSync } from 'node:fs';
import { AppError } from '../../errors/app-error.ts';
import { type Instant, SECOND_MS, utcHour } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import { applicationKey } from '../journal.ts';
import type { ApplicationLines, LogPage, LogQuery, LogReader, StoredLog } from '../log-store.ts';
import {
  compareLogFiles,
  type LogFileName,
  listLogFiles,
  logFilePath,
  printLogFileName,
} from './log-file-name.ts';
import { LogReadFile, type RowQuery, type SeenRow } from './log-read-file.ts';
import { firstRowId, IDS_PER_MS } from './log-row-id.ts';
import { parseTextQuery } from './log-words.ts';
import { sqliteError } from './sqlite-error.ts';

const MAX_LIMIT = 1_000;
/** Rows that one call looks at; a page that needs more ends early, with a cursor to go on. */
const MAX_SEEN = 50_000;
const MAX_TEMPLATES = 200;
/** A busy millisecond's rows may have ids of later ones, within this. */
const SPILL_IDS = SECOND_MS * IDS_PER_MS;

interface Position {
  readonly id: number;
  readonly file: LogFileName;
}

function printCursor({ id, file }: Position): string {
  return `${id.toString(36)}.${(file.day / 86_400_000).toString(36)}.${file.part}`;
}

function parseCursor(text: string): Position {
  const match = /^([0-9a-z]{1,11})\.([0-9a-z]{1,6})\.(\d{1,6})$/.exec(text);
  if (match === null) throw new AppError('BAD_REQUEST', 'the cursor is not one of a page before');
  const [, id = '', day = '', part = ''] = match;
  return {
    id: Number.parseInt(id, 36),
    file: { day: Number.parseInt(day, 36) * 86_400_000, part: Number(part) },
  };
}

/** One file's rows of a query, with the newest one not taken yet. */
interface Run {
  readonly file: LogReadFile;
  readonly rows: Generator<SeenRow>;
  head: SeenRow | undefined;
}

/** LogReader on the SQLite files of a folder, beside their writer or without one. */
export class SqliteLogReader implements LogReader {
  readonly #folder: string;
  readonly #files = new Map<string, LogReadFile>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  search(project: ProjectId, query: LogQuery): Promise<LogPage> {
    return this.#attempt(() => {
      const limit = Math.min(Math.max(1, Math.trunc(query.limit)), MAX_LIMIT);
      const records: StoredLog[] = [];
      let last: Position | undefined;
      let seen = 0;
      for (const { id, file, record } of this.#rows(project, query)) {
        if (records.length === limit || seen === MAX_SEEN) {
          return { records, ...(last === undefined ? {} : { cursor: printCursor(last) }) };
        }
        seen += 1;
        last = { id, file };
        if (record !== undefined) records.push(record);
      }
      return { records };
    });
  }

  fingerprints(
    project: ProjectId,
    query: LogQuery,
  ): Promise<{ fingerprint: string; count: number; example: StoredLog }[]> {
    return this.#attempt(() => {
      const groups = new Map<string, { fingerprint: string; count: number; example: StoredLog }>();
      let seen = 0;
      for (const { record } of this.#rows(project, query)) {
        seen += 1;
        if (seen > MAX_SEEN) break;
        if (record === undefined) continue;
        const { fingerprint } = record;
        const group = groups.get(fingerprint);
        if (group === undefined)
          groups.set(fingerprint, { fingerprint, count: 1, example: record });
        else group.count += 1;
      }
      const limit = Math.min(Math.max(1, Math.trunc(query.limit)), MAX_TEMPLATES);
      return [...groups.values()].sort((a, b) => b.count - a.count).slice(0, limit);
    });
  }

  countByApplication: LogReader['countByApplication'] = (project, query) =>
    this.#attempt(() => {
      const groups = new Map<
        string,
        { -readonly [K in keyof ApplicationLines]: ApplicationLines[K] }
      >();
      let seen = 0;
      for (const { record } of this.#rows(project, query)) {
        seen += 1;
        if (seen > MAX_SEEN) break;
        if (record === undefined) continue;
        const { cluster, application } = record;
        const key = applicationKey({ cluster, application });
        const group = groups.get(key);
        if (group === undefined)
          groups.set(key, { cluster, application, count: 1, newest: record });
        else group.count += 1;
      }
      const applications = [...groups.values()].sort((a, b) => b.count - a.count);
      const complete = seen <= MAX_SEEN && applications.length <= query.limit;
      return { applications: applications.slice(0, query.limit), complete };
    });

  volume(project: ProjectId, from: Instant): Promise<{ records: number; bytes: number }> {
    return this.#attempt(() => {
      let records = 0;
      let bytes = 0;
      for (const file of this.#open()) {
        const volume = file.volume(project, utcHour(from));
        records += volume.records;
        bytes += volume.bytes;
      }
      return { records, bytes };
    });
  }

  /** Merges the files by row id, newest first, opening a file's rows only when they can be next. */
  *#rows(
    project: ProjectId,
    query: LogQuery,
  ): Generator<{ id: number; file: LogFileName; record: StoredLog | undefined }> {
    const after = query.cursor === undefined ? undefined : parseCursor(query.cursor);
    const base = {
      project,
      from: query.from,
      until: query.until,
      text: parseTextQuery(query.text ?? ''),
      minLevel: query.minLevel,
      application: query.application,
      container: query.container,
      fingerprint: query.fingerprint,
      lowId: firstRowId(query.from),
    };
    const top = firstRowId(query.until) + SPILL_IDS;
    const waiting = this.#open()
      .map((file) => ({ file, span: file.span() }))
      .filter(({ span }) => span !== undefined && span.high >= base.lowId && span.low <= top)
      .map(({ file, span }) => ({ file, high: span?.high ?? 0 }))
      .sort((a, b) => a.high - b.high);
    const runs: Run[] = [];
    for (;;) {
      let best = newest(runs);
      for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
        if (best?.head !== undefined && best.head.id > next.high) break;
        waiting.pop();
        runs.push(start(next.file, { ...base, highId: highId(next.file.name, top, after) }));
        best = newest(runs);
      }
      if (best?.head === undefined) return;
      const { id, record } = best.head;
      yield { id, file: best.file.name, record };
      best.head = take(best.rows);
    }
  }

  /** All files that are there now; those that retention removed are let go. */
  #open(): LogReadFile[] {
    if (!existsSync(this.#folder)) return [];
    const names = listLogFiles(this.#folder);
    const texts = new Set(names.map(printLogFileName));
    for (const [text, file] of this.#files) {
      if (texts.has(text)) continue;
      file[Symbol.dispose]();
      this.#files.delete(text);
    }
    for (const name of names) {
      const text = printLogFileName(name);
      if (this.#files.has(text)) continue;
      const file = this.#tryOpen(name);
      if (file !== undefined) this.#files.set(text, file);
    }
    return [...this.#files.values()];
  }

  /** A file that was just made, or just removed, has nothing to read. */
  #tryOpen(name: LogFileName): LogReadFile | undefined {
    const path = logFilePath(this.#folder, name);
    try {
      return new LogReadFile(path, name);
    } catch (error) {
      const newest = listLogFiles(this.#folder).at(-1);
      const making = newest !== undefined && compareLogFiles(newest, name) === 0;
      if (making || !existsSync(path)) return undefined;
      throw error;
    }
  }

  async #attempt<T>(read: () => T): Promise<T> {
    try {
      return read();
    } catch (error) {
      throw sqliteError(error, this.#folder);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files.values()) file[Symbol.dispose]();
    this.#files.clear();
    return Promise.resolve();
  }
}

function take(rows: Generator<SeenRow>): SeenRow | undefined {
  const { value, done } = rows.next();
  return done === true ? undefined : value;
}

function start(file: LogReadFile, query: RowQuery): Run {
  const rows = file.rows(query);
  return { file, rows, head: take(rows) };
}

/** Of the same id in two files, the later file's comes first. */
function newest(runs: readonly Run[]): Run | undefined {
  let best: Run | undefined;
  for (const run of runs) {
    if (run.head === undefined) continue;
    const order = best?.head === undefined ? 1 : run.head.id - best.head.id;
    if (
      order > 0 ||
      (order === 0 && best !== undefined && compareLogFiles(run.file.name, best.file.name) > 0)
    ) {
      best = run;
    }
  }
  return best;
}

function highId(file: LogFileName, top: number, after: Position | undefined): number {
  if (after === undefined) return top;
  const earlier = compareLogFiles(file, after.file) < 0;
  return Math.min(top, earlier ? after.id : after.id - 1);
}

/** Opens the log files of a folder for reading. */
export function openLogReader(options: { readonly folder: string }): Promise<SqliteLogReader> {
  return Promise.resolve(new SqliteLogReader(options.folder));
}
