import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Folder of the real samples; it stands beside the project and none of it is copied into it. */
const FOLDER =
  process.env['TOLLGATE_SHARED_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data');

/** Path of a real sample. Throws, saying how to point at the samples, when it isn't there. */
export function sharedDataFile(path: string): string {
  const file = resolve(FOLDER, path);
  if (!existsSync(file)) {
    throw new Error(`no sample ${path} in ${FOLDER}; set TOLLGATE_SHARED_DATA to its folder`);
  }
  return file;
}
