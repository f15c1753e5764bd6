import { readFileSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/running-tollgate.ts';
import { installElasticsearch } from './elasticsearch-install.ts';
import { runInstaller } from './install-once.ts';
import { ServerProcess } from './server-process.ts';

/** Users of a secured server, by name: what they may do is in ROLES. */
export const ELASTIC_USERS = {
  admin: 'admin-secret',
  collector: 'collector-secret',
  onlooker: 'onlooker-secret',
} as const;

const ROLES = `
collector:
  cluster: [ monitor, manage_index_templates ]
  indices:
    - names: [ "tollgate-*" ]
      privileges: [ create_doc, auto_configure, read, view_index_metadata ]
onlooker:
  cluster: [ monitor, manage_index_templates ]
  indices:
    - names: [ "tollgate-*" ]
      privileges: [ read, view_index_metadata ]
`;

const SECURE = `
xpack.security.enabled: true
xpack.security.autoconfiguration.enabled: false
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.key: certs/http.key
xpack.security.http.ssl.certificate: certs/http.crt
xpack.security.http.ssl.certificate_authorities: [ "certs/ca.crt" ]
`;

export interface ElasticsearchOptions {
  /** Such as `9.4.3`; else what TOLLGATE_TEST_ELASTICSEARCH_VERSION says, or 8.19.16. */
  readonly version?: string;
  /** TLS, and users with rights. */
  readonly secured?: boolean;
  /** Lines of elasticsearch.yml. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Such as `512m`. */
  readonly heap?: string;
  /** Compiles all it can, as in production: a start takes longer, and work is faster. */
  readonly fast?: boolean;
}

export interface ElasticsearchServer extends AsyncDisposable {
  readonly url: string;
  /** PEM of the authority, where it is secured. */
  readonly caFile: string | undefined;
  /** Undefined where the tests were pointed at a running server. */
  readonly process: ServerProcess | undefined;
}

async function makeCertificates(folder: string): Promise<void> {
  await mkdir(folder);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const run = (...args: string[]) => runInstaller('openssl', args, { cwd: folder });
  const authority = ['-subj', '/CN=test-ca', '-keyout', 'ca.key', '-out', 'ca.crt'];
  await run('req', '-x509', '-days', '365', ...key, ...authority);
  await run('req', ...key, '-subj', '/CN=localhost', '-keyout', 'http.key', '-out', 'http.csr');
  await writeFile(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '365'];
  const files = ['-in', 'http.csr', '-out', 'http.crt', '-extfile', 'names'];
  await run('x509', '-req', ...by, ...files);
  await appendFile(join(folder, 'http.crt'), readFileSync(join(folder, 'ca.crt')));
}

/** Users and roles as files: no index of the server's own is needed for them. */
async function secure(config: string): Promise<void> {
  await makeCertificates(join(config, 'certs'));
  await writeFile(join(config, 'roles.yml'), ROLES);
  const users = Object.entries(ELASTIC_USERS);
  await writeFile(
    join(config, 'users'),
    users.map(([name, password]) => `${name}:${password}\n`).join(''),
  );
  await writeFile(
    join(config, 'users_roles'),
    'superuser:admin\ncollector:collector\nonlooker:onlooker\n',
  );
}

async function configure(
  folder: string,
  home: string,
  options: ElasticsearchOptions,
): Promise<number> {
  const config = join(folder, 'config');
  await cp(join(home, 'config'), config, { recursive: true });
  const [port, transport] = [await freePort(), await freePort()];
  const settings = Object.entries({
    'cluster.name': 'tollgate-test',
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': String(port),
    'transport.port': String(transport),
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
    'cluster.routing.allocation.disk.threshold_enabled': 'false',
    ...(options.secured === true ? {} : { 'xpack.security.enabled': 'false' }),
    ...options.settings,
  });
  const yaml = settings.map(([name, value]) => `${name}: ${value}\n`).join('');
  await writeFile(
    join(config, 'elasticsearch.yml'),
    yaml + (options.secured === true ? SECURE : ''),
  );
  if (options.secured === true) await secure(config);
  await mkdir(join(folder, 'tmp'));
  if (process.getuid?.() === 0)
    await runInstaller('chown', ['-R', '65534:65534', folder], { cwd: '/' });
  return port;
}

/** Status of the cluster as the admin sees it; the certificate is the test's own. */
function health(url: string, caFile: string | undefined): Promise<string> {
  const path = `${url}/_cluster/health?filter_path=status`;
  if (caFile === undefined) return fetch(path).then((answer) => answer.text());
  return new Promise((resolve, reject) => {
    const auth = `admin:${ELASTIC_USERS.admin}`;
    const asked = request(path, { auth, ca: readFileSync(caFile) }, (answer) => {
      answer.setEncoding('utf8').on('data', resolve).once('error', reject);
    });
    asked.once('error', reject).end();
  });
}

/** The last pid that the launcher wrote down; undefined while there is none. */
function pidOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

/**
 * An Elasticsearch of its own with an empty disk. It stays the same over `process.kill()` and
 * `process.start()`. TOLLGATE_TEST_ELASTICSEARCH_URL points at a running one instead, where no
 * options are asked for.
 */
export async function startElasticsearch(
  options: ElasticsearchOptions = {},
): Promise<ElasticsearchServer> {
  const given = process.env['TOLLGATE_TEST_ELASTICSEARCH_URL'];
  if (given !== undefined && Object.keys(options).length === 0) {
    const none = async (): Promise<void> => undefined;
    return { url: given, caFile: undefined, process: undefined, [Symbol.asyncDispose]: none };
  }
  const { home, javaHome } = await installElasticsearch(
    options.version ?? process.env['TOLLGATE_TEST_ELASTICSEARCH_VERSION'],
  );
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-elasticsearch-'));
  const port = await configure(folder, home, options);
  const url = `${options.secured === true ? 'https' : 'http'}://127.0.0.1:${port}`;
  const caFile = options.secured === true ? join(folder, 'config/certs/ca.crt') : undefined;
  const heap = options.heap ?? '512m';
  const compiler = options.fast === true ? '' : ' -XX:TieredStopAtLevel=1';
  const server = await ServerProcess.start({
    name: 'Elasticsearch',
    command: join(home, 'bin', 'elasticsearch'),
    args: ['-p', join(folder, 'pid')],
    env: {
      ES_PATH_CONF: join(folder, 'config'),
      ES_JAVA_HOME: javaHome,
      ES_JAVA_OPTS: `-Xms${heap} -Xmx${heap} -XX:-AlwaysPreTouch${compiler}`,
      ES_TMPDIR: join(folder, 'tmp'),
      // The launcher's own scratch folder, which it takes from Java's.
      CLI_JAVA_OPTS: `-Djava.io.tmpdir=${join(folder, 'tmp')}`,
    },
    unprivileged: true,
    // On a busy machine two minutes were not enough.
    readyWithinMs: 300_000,
    stopSignal: 'SIGTERM',
    serverPid: () => pidOf(join(folder, 'pid')),
    ready: async () => /"(yellow|green)"/.test(await health(url, caFile)),
  });
  return {
    url,
    caFile,
    process: server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
