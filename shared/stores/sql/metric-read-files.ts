import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../errors/app-error.ts';
import {
  listMetricFiles,
  type MetricFileKind,
  type MetricFileName,
  metricFilePath,
} from './metric-file-name.ts';
import { METRIC_MINUTES_SCHEMA } from './metric-minutes-file.ts';
import { METRIC_RAW_SCHEMA } from './metric-raw-file.ts';
import { openSqlite } from './open-sqlite.ts';

/** What is there of one day of arrival; at least one of the two. */
export interface MetricDay {
  readonly name: MetricFileName;
  readonly raw: DatabaseSync | undefined;
  readonly minutes: DatabaseSync | undefined;
}

const SCHEMAS = { raw: METRIC_RAW_SCHEMA, minutes: METRIC_MINUTES_SCHEMA } as const;

/** Read-only connections to the files of a folder, kept open until their file is gone. */
export class MetricReadFiles implements Disposable {
  readonly #folder: string;
  readonly #open = new Map<string, DatabaseSync>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** In the order of their making. */
  days(): MetricDay[] {
    if (!existsSync(this.#folder)) return [];
    const names = new Map<string, MetricFileName>();
    const paths = new Set<string>();
    for (const kind of ['raw', 'minutes'] as const) {
      for (const name of listMetricFiles(this.#folder, kind)) {
        names.set(`${name.day} ${name.part}`, name);
        paths.add(metricFilePath(this.#folder, kind, name));
      }
    }
    for (const [path, db] of this.#open) {
      if (paths.has(path)) continue;
      db.close();
      this.#open.delete(path);
    }
    return [...names.values()]
      .sort((a, b) => a.day - b.day || a.part - b.part)
      .map((name) => ({ name, raw: this.#at('raw', name), minutes: this.#at('minutes', name) }));
  }

  #at(kind: MetricFileKind, name: MetricFileName): DatabaseSync | undefined {
    const path = metricFilePath(this.#folder, kind, name);
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    if (!existsSync(path)) return undefined;
    try {
      const db = openSqlite({ file: path, schema: SCHEMAS[kind], readOnly: true });
      this.#open.set(path, db);
      return db;
    } catch (error) {
      // The writer may be making it now; retention may unlink it between looking and opening.
      const gone = error instanceof AppError && !existsSync(path);
      if (gone || (error instanceof AppError && error.details['version'] === 0)) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const db of this.#open.values()) db.close();
    this.#open.clear();
  }
}
