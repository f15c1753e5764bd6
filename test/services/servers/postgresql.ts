import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../../support/running-tollgate.ts';
import { installOnce } from './install-once.ts';
import { installPostgresql, type PostgresqlInstall } from './postgresql-install.ts';
import { giveToNobody, ServerProcess } from './server-process.ts';

const run = promisify(execFile);
const NOBODY = '65534';
const USER = 'tollgate';

export interface PostgresqlServer extends AsyncDisposable {
  /** A database of its own that nobody has used, without TLS; the user owns it. */
  readonly url: string;
  readonly port: number;
  /** Undefined where the tests were pointed at a running server. */
  readonly process: ServerProcess | undefined;
}

export interface PostgresqlOptions {
  /** Major version, `14` to `18`; else what TOLLGATE_TEST_POSTGRESQL_VERSION says, or 18. */
  readonly version?: string;
  /** Settings, such as `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Put into its data folder, such as a certificate. */
  readonly files?: Readonly<Record<string, string>>;
  /** Off only where nothing is killed: faster, and a crash loses what was committed. */
  readonly fsync?: boolean;
}

/** As `nobody` when the tests run as root, whom PostgreSQL refuses. */
async function asNobody(command: string, args: readonly string[]): Promise<void> {
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  const root = process.getuid?.() === 0;
  await run('setpriv', [...(root ? ids : []), command, ...args], { cwd: '/' });
}

/** User `guarded` needs its password, so that tests can have it wrong; nobody else does. */
const ACCESS = `
host all guarded all scram-sha-256
host all all all trust
`;

/** A data folder as initdb makes it, made once and copied for every server. */
async function template({ native, version }: PostgresqlInstall): Promise<string> {
  return installOnce(`postgresql-${version}-data`, async (folder) => {
    giveToNobody(folder);
    const data = join(folder, 'data');
    const options = ['--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
    await asNobody(join(native, 'bin', 'initdb'), ['-D', data, '-U', USER, ...options]);
  });
}

/** Whether it answers a query; a server that is still replaying its log takes connections only. */
async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * A PostgreSQL of its own, durable unless told otherwise. TOLLGATE_TEST_POSTGRESQL_URL points at a
 * running one instead, whose database is then shared: tests take schemas of their own in it. A test
 * that asks for a version has a server of its own all the same.
 */
export async function startPostgresql(options: PostgresqlOptions = {}): Promise<PostgresqlServer> {
  const given = process.env['TOLLGATE_TEST_POSTGRESQL_URL'];
  if (given !== undefined && options.version === undefined) {
    const port = Number(new URL(given).port || 5432);
    return { url: given, port, process: undefined, [Symbol.asyncDispose]: async () => undefined };
  }
  const install = await installPostgresql(
    options.version ?? process.env['TOLLGATE_TEST_POSTGRESQL_VERSION'],
  );
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-postgresql-'));
  const data = join(folder, 'data');
  await cp(join(await template(install), 'data'), data, { recursive: true });
  await writeFile(join(data, 'pg_hba.conf'), ACCESS);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await writeFile(join(data, name), text);
  }
  await run('chmod', ['-R', 'u=rwX,go=', data]);
  if (process.getuid?.() === 0) await run('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
  const port = await freePort();
  const url = `postgresql://${USER}@127.0.0.1:${port}/postgres`;
  const settings = {
    listen_addresses: '127.0.0.1',
    ...(options.fsync === false ? { fsync: 'off', full_page_writes: 'off' } : {}),
    ...options.settings,
  };
  const server = await ServerProcess.start({
    name: `PostgreSQL ${install.version}`,
    command: join(install.native, 'bin', 'postgres'),
    args: [
      ...['-D', data, '-p', `${port}`, '-k', folder],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    unprivileged: true,
    stopSignal: 'SIGINT',
    ready: () => answers(url),
  });
  return {
    url,
    port,
    process: server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
