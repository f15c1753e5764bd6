import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../errors/app-error.ts';
import { isLocked, sqliteError } from './sqlite-error.ts';

/** What a kind of file holds, and how it came to its present form. */
export interface SqliteSchema {
  /** Said in errors, such as `ledger`. */
  readonly name: string;
  /** Marks the kind in the file's header (PRAGMA application_id), so that another kind is refused. */
  readonly applicationId: number;
  /** SQL scripts, applied once each, in order; `user_version` counts them. Only ever appended to. */
  readonly migrations: readonly string[];
}

export interface OpenSqlite {
  /** Path, or `:memory:` for tests. */
  readonly file: string;
  readonly schema: SqliteSchema;
  /** Refuses to write, and needs a file that a writer has made. */
  readonly readOnly?: boolean;
  /** Another connection moves the WAL into the file (keep-wal.ts): commits of this one needn't. */
  readonly walKept?: boolean;
}

/**
 * FULL: an answer is given, and a checkpoint counts, only after an fsync; group commit pays for it.
 * Frequent checkpoints of the WAL would cost more than its 16 MB.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA temp_store = MEMORY;
`;
/** Should its keeper be away, the WAL still ends at some 160 MB. */
const KEPT_WAL_PAGES = 40_000;
const BUSY_TIMEOUT_MS = 5_000;
const WAL_ATTEMPTS = 20;

function pragma(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function checkKind(database: DatabaseSync, { file, schema }: OpenSqlite): number {
  const version = pragma(database, 'user_version');
  const applicationId = pragma(database, 'application_id');
  const isNew = version === 0 && applicationId === 0;
  if (!isNew && applicationId !== schema.applicationId) {
    throw new AppError(
      'STORE_UNAVAILABLE',
      `${file} is not a ${schema.name} file of Tollgate; point the data folder elsewhere`,
    );
  }
  if (version > schema.migrations.length) {
    throw new AppError(
      'STORE_UNAVAILABLE',
      `${file} was written by a newer Tollgate (${schema.name} version ${version}, this one knows ` +
        `${schema.migrations.length}); upgrade Tollgate`,
    );
  }
  return version;
}

/**
 * Turning a new file to WAL fails at once, without waiting, while another connection does the same:
 * SQLite sees a deadlock in it. A lock that is asked for plainly waits its turn.
 */
function useWal(database: DatabaseSync): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      database.exec(PRAGMAS);
      return;
    } catch (error) {
      if (attempt === WAL_ATTEMPTS || !isLocked(error)) throw error;
      database.exec('BEGIN IMMEDIATE; COMMIT');
    }
  }
}

function migrate(database: DatabaseSync, options: OpenSqlite): void {
  const { schema } = options;
  if (checkKind(database, options) === schema.migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: two processes may open a new file at once.
    const version = checkKind(database, options);
    for (const script of schema.migrations.slice(version)) database.exec(script);
    database.exec(`PRAGMA application_id = ${schema.applicationId}`);
    database.exec(`PRAGMA user_version = ${schema.migrations.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Opens a file of a known kind with the settings every store relies on: WAL, synchronous=FULL,
 * a wait of 5 s for a lock. A writer brings the file to the present form; a reader insists on it.
 *
 * @throws AppError STORE_UNAVAILABLE (missing, damaged, another kind, newer; with detail `version` 0
 * when its writer is just making it) or DISK_FULL
 */
export function openSqlite(options: OpenSqlite): DatabaseSync {
  const { file, schema, readOnly = false, walKept = false } = options;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly, timeout: BUSY_TIMEOUT_MS });
    if (readOnly) {
      const version = checkKind(database, options);
      if (version < schema.migrations.length) {
        throw new AppError(
          'STORE_UNAVAILABLE',
          `${file} has no present ${schema.name} in it yet; start the service that writes it`,
          { details: { version } },
        );
      }
    } else {
      useWal(database);
      if (walKept) database.exec(`PRAGMA wal_autocheckpoint = ${KEPT_WAL_PAGES}`);
      migrate(database, options);
    }
    return database;
  } catch (error) {
    database?.close();
    throw sqliteError(error, file);
  }
}
