import { AppError } from '../../errors/app-error.ts';

/** Primary result codes. Source: https://www.sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Extended codes of IOERR that a write without room gives: WRITE, FSYNC, TRUNCATE, SHMSIZE, SHMMAP. */
const WRITE_FAILURES: ReadonlySet<number> = new Set([778, 1034, 1546, 4874, 5386]);

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** True for a lock that another connection holds. */
export function isLocked(error: unknown): boolean {
  const primary = (resultCode(error) ?? 0) & 0xff;
  return primary === BUSY || primary === LOCKED;
}

/**
 * What an error of SQLite means: DISK_FULL or STORE_UNAVAILABLE for what the world did to the file;
 * the error itself for a bug (SQL, constraint) and for what isn't SQLite's.
 *
 * @param file named in the message
 */
export function sqliteError(error: unknown, file = 'the database'): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  const primary = code & 0xff;
  const options = { cause: error, details: { sqlite: code } };
  if (primary === FULL || WRITE_FAILURES.has(code)) {
    return new AppError('DISK_FULL', `${file}: no room to write; free disk space`, options);
  }
  switch (primary) {
    case BUSY:
    case LOCKED:
      return new AppError(
        'STORE_UNAVAILABLE',
        `${file} is locked by another writer; stop the other Tollgate or try again`,
        options,
      );
    case READONLY:
    case IOERR:
    case CANTOPEN:
      return new AppError(
        'STORE_UNAVAILABLE',
        `${file} cannot be read or written; check that its folder exists, its rights and the disk`,
        options,
      );
    case CORRUPT:
    case NOTADB:
      return new AppError(
        'STORE_UNAVAILABLE',
        `${file} is damaged or no SQLite database; restore it from a backup`,
        options,
      );
    default:
      return error;
  }
}
