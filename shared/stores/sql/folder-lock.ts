import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../errors/app-error.ts';
import { isLocked, sqliteError } from './sqlite-error.ts';

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
    if (isLocked(error)) {
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
