import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce, runInstaller } from './install-once.ts';

const VERSION = '1.8.10';
/** Builds 2.x's query language, a Rust library, by Cargo while Go builds the server. */
const PKG_CONFIG = 'github.com/influxdata/pkg-config@v0.3.0';
/** As the server's own go.mod has it, which counts for nothing in a module that requires it. */
const REPLACE =
  'github.com/nats-io/nats-streaming-server@v0.11.2=' +
  'github.com/influxdata/nats-streaming-server@v0.11.3-0.20201112040610-c277f7560803';

export interface InfluxdbInstall {
  /** With `influxd` in it. */
  readonly home: string;
  readonly version: string;
}

/** About 90 s of two cores. */
async function build1(folder: string, version: string): Promise<void> {
  // Without -X the server calls its version "unknown".
  const flags = `-ldflags=-s -w -X main.version=${version}`;
  const source = `github.com/influxdata/influxdb/cmd/influxd@v${version}`;
  await runInstaller('go', ['install', flags, source], { cwd: folder, env: { GOBIN: folder } });
}

/** Its go.mod replaces a module, so that it can't be installed by its path: from a module here. */
async function build2(folder: string, version: string): Promise<void> {
  const source = 'github.com/influxdata/influxdb/v2/cmd/influxd';
  const module = join(folder, 'module');
  await runInstaller('mkdir', [module], { cwd: folder });
  const go = (args: readonly string[], env: Record<string, string> = {}): Promise<string> =>
    runInstaller('go', args, { cwd: module, env });
  await runInstaller('cargo', ['--version'], { cwd: folder });
  await go(['mod', 'init', 'influxd-build']);
  await go(['mod', 'edit', '-replace', REPLACE]);
  await go(['get', `${source}@v${version}`]);
  await go(['install', PKG_CONFIG], { GOBIN: module });
  const env = {
    PKG_CONFIG: join(module, 'pkg-config'),
    // The library pins a toolchain for its own checks; warnings of a later one stop nothing.
    RUSTUP_TOOLCHAIN: 'stable',
    RUSTFLAGS: '--cap-lints=warn',
  };
  const tags = ['-tags', 'sqlite_foreign_keys,sqlite_json'];
  const flags = ['-ldflags', `-s -w -X main.version=${version}`];
  await go(['build', ...tags, ...flags, '-o', join(folder, 'influxd'), source], env);
  await rm(module, { recursive: true });
}

/**
 * Built by Go the first time; 2.x by Go, Cargo and a C compiler in many minutes.
 *
 * @param version 1.8.10 when undefined
 */
export async function installInfluxdb(version: string = VERSION): Promise<InfluxdbInstall> {
  const build = version.startsWith('1.') ? build1 : build2;
  const home = await installOnce(`influxdb-${version}`, (folder) => build(folder, version));
  return { home, version };
}
