import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/running-tollgate.ts';
import { installInfluxdb } from './influxdb-install.ts';
import { ServerProcess } from './server-process.ts';

/** What the configuration of metrics needs beside the address; empty for 1.8. */
export interface InfluxdbLogin {
  readonly org?: string;
  readonly token?: string;
}

export interface RunningInfluxdb extends AsyncDisposable {
  readonly url: string;
  readonly login: InfluxdbLogin;
  /** Undefined when TOLLGATE_TEST_INFLUXDB_URL names a server that runs already. */
  readonly process: ServerProcess | undefined;
}

export interface InfluxdbOptions {
  /** `2.9.1`; else what TOLLGATE_TEST_INFLUXDB_VERSION says, or 1.8.10. */
  readonly version?: string;
  /** 1.8 alone: asks for user and password; the first user is made by CREATE USER without login. */
  readonly auth?: boolean;
  /** 1.8 alone: lines of the `[http]` or `[data]` section, such as `max-body-size = 1000`. */
  readonly http?: readonly string[];
  readonly data?: readonly string[];
  /** Where data and WAL lie, such as a disk of their own. */
  readonly dataFolder?: string;
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

/** A running server, by address. Of 2.x it needs an organization and a token that may do all. */
function givenServer(): RunningInfluxdb | undefined {
  const url = process.env['TOLLGATE_TEST_INFLUXDB_URL'];
  if (url === undefined) return undefined;
  const { TOLLGATE_TEST_INFLUXDB_ORG: org, TOLLGATE_TEST_INFLUXDB_TOKEN: token } = process.env;
  const login = org === undefined || token === undefined ? {} : { org, token };
  return { url, login, process: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Makes the first user, organization and token of an empty 2.x server. */
async function setUp(url: string): Promise<InfluxdbLogin> {
  const login = { org: 'tollgate', token: 'token-of-the-tests' };
  const body = JSON.stringify({
    ...login,
    username: 'admin',
    password: 'admin-secret',
    bucket: 'b',
  });
  const answer = await fetch(`${url}/api/v2/setup`, { method: 'POST', body });
  if (!answer.ok) throw new Error(`InfluxDB's setup: ${answer.status} ${await answer.text()}`);
  return login;
}

/** Arguments of an influxd of 2.x, which needs no file. */
function arguments2(folder: string, port: number): string[] {
  const paths = { 'bolt-path': 'bolt', 'sqlite-path': 'sqlite', 'engine-path': 'engine' };
  return [
    ...['run', '--reporting-disabled', '--log-level=warn', `--http-bind-address=127.0.0.1:${port}`],
    ...Object.entries(paths).map(([name, file]) => `--${name}=${join(folder, file)}`),
  ];
}

/**
 * A real InfluxDB on 127.0.0.1, with data of its own that go with it. TOLLGATE_TEST_INFLUXDB_URL
 * points at a running one instead, of 2.x with TOLLGATE_TEST_INFLUXDB_ORG and …_TOKEN, except for
 * tests that ask for a version or a disk of its own.
 */
export async function startInfluxdb(options: InfluxdbOptions = {}): Promise<RunningInfluxdb> {
  const own = options.version !== undefined || options.dataFolder !== undefined;
  const given = own ? undefined : givenServer();
  if (given !== undefined) return given;
  const { home, version } = await installInfluxdb(
    options.version ?? process.env['TOLLGATE_TEST_INFLUXDB_VERSION'],
  );
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-influxdb-'));
  const ports = [await freePort(), await freePort()];
  const file = join(folder, 'influxdb.toml');
  await writeFile(file, configText(folder, ports, options));
  const url = `http://127.0.0.1:${ports[0]}`;
  const is1 = version.startsWith('1.');
  const server = await ServerProcess.start({
    name: `InfluxDB ${version}`,
    command: join(home, 'influxd'),
    args: is1 ? ['run', '-config', file] : arguments2(folder, ports[0] ?? 0),
    stopSignal: 'SIGTERM',
    // 2.x answers /ping before it can store.
    ready: async () => (await fetch(`${url}${is1 ? '/ping' : '/health'}`)).ok,
    readyWithinMs: 30_000,
  });
  return {
    url,
    login: is1 ? {} : await setUp(url),
    process: server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
