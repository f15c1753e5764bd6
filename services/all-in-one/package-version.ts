import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Version in the package.json above this file, in a checkout and in the built package. */
export function packageVersion(): string {
  let folder = import.meta.dirname;
  while (dirname(folder) !== folder) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return String(JSON.parse(readFileSync(file, 'utf8')).version);
    folder = dirname(folder);
  }
  throw new Error('assertion failed: there is no package.json above the code');
}
