import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../errors/app-error.ts';
import { sqliteError } from './sqlite-error.ts';

const BUSY = 5;

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  return typeof error.errcode === 'number' && (error.errcode & 0xff) === BUSY;
}

/**
 * Holds a data folder for one process, since two would read every source twice. The lock is the
 * operating system's, on a file: a kill releases it.
 *
 * @throws AppError CONFLICT when another process holds it
 */
export function lockFolder(folder: string): Disposable {
  const file = `${folder}/lock.db`;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if (isBusy(error)) {
      throw new AppError(
        'CONFLICT',
        `another Tollgate uses the data folder ${folder}; stop it, or take another folder`,
        { cause: error },
      );
    }
    throw sqliteError(error, file);
  }
  const held = database;
  return { [Symbol.dispose]: () => held.close() };
}
