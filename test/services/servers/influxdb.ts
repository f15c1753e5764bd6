import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/running-tollgate.ts';
import { installOnce, runInstaller } from './install-once.ts';
import { ServerProcess } from './server-process.ts';

const VERSION = '1.8.10';

export interface RunningInfluxdb extends AsyncDisposable {
  readonly url: string;
  /** Undefined when TOLLGATE_TEST_INFLUXDB_URL names a server that runs already. */
  readonly process: ServerProcess | undefined;
}

export interface InfluxdbOptions {
  /** Asks for user and password; the first user is made by CREATE USER without login. */
  readonly auth?: boolean;
  /** Lines of the `[http]` or `[data]` section, such as `max-body-size = 1000`. */
  readonly http?: readonly string[];
  readonly data?: readonly string[];
  /** Where data and WAL lie, such as a disk of their own. */
  readonly dataFolder?: string;
}

/** The folder with `influxd`, built by Go the first time (about 90 s of two cores). */
function installInfluxdb(): Promise<string> {
  return installOnce(`influxdb-${VERSION}`, async (folder) => {
    // Without -X the server calls its version "unknown".
    const flags = `-ldflags=-s -w -X main.version=${VERSION}`;
    const source = `github.com/influxdata/influxdb/cmd/influxd@v${VERSION}`;
    await runInstaller('go', ['install', flags, source], { cwd: folder, env: { GOBIN: folder } });
  });
}

function configText(folder: string, ports: readonly number[], options: InfluxdbOptions): string {
  const [http = 0, backup = 0] = ports;
  const disk = options.dataFolder ?? folder;
  return `reporting-disabled = true
bind-address = "127.0.0.1:${backup}"
[meta]
  dir = "${folder}/meta"
  logging-enabled = false
[data]
  dir = "${disk}/data"
  wal-dir = "${disk}/wal"
  index-version = "tsi1"
  query-log-enabled = false
  ${(options.data ?? []).join('\n  ')}
[monitor]
  store-enabled = false
[logging]
  level = "warn"
[http]
  bind-address = "127.0.0.1:${http}"
  flux-enabled = false
  log-enabled = false
  auth-enabled = ${options.auth === true}
  ${(options.http ?? []).join('\n  ')}
`;
}

/** A real InfluxDB 1.8 on 127.0.0.1, with data of its own that go with it. */
export async function startInfluxdb(options: InfluxdbOptions = {}): Promise<RunningInfluxdb> {
  const given = process.env['TOLLGATE_TEST_INFLUXDB_URL'];
  if (given !== undefined && options.dataFolder === undefined) {
    return { url: given, process: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const home = await installInfluxdb();
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-influxdb-'));
  const ports = [await freePort(), await freePort()];
  const file = join(folder, 'influxdb.toml');
  await writeFile(file, configText(folder, ports, options));
  const url = `http://127.0.0.1:${ports[0]}`;
  const server = await ServerProcess.start({
    name: `InfluxDB ${VERSION}`,
    command: join(home, 'influxd'),
    args: ['run', '-config', file],
    stopSignal: 'SIGTERM',
    ready: async () => (await fetch(`${url}/ping`)).status === 204,
    readyWithinMs: 30_000,
  });
  return {
    url,
    process: server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
