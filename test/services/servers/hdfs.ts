import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '../../support/running-tollgate.ts';
import { installHadoop, javaHome, siteXml } from './hadoop.ts';
import { runInstaller } from './install-once.ts';
import { ServerProcess } from './server-process.ts';
import { SHORT_RUN_JVM } from './spark.ts';

const ARTIFACTS = ['hadoop-common', 'hadoop-hdfs', 'hadoop-hdfs-client'];
const SERVER = 'org.apache.hadoop.hdfs.server';

const LOG4J = `log4j.rootLogger=WARN,out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
`;

export interface RunningHdfs extends AsyncDisposable {
  /** NameNode's web address: `http://127.0.0.1:port`. */
  readonly url: string;
  /** Writes a file, with so many replicas asked for. */
  write(path: string, bytes: number, replication: number): Promise<void>;
  delete(path: string): Promise<void>;
  /** Length times replicas of each file below a folder, file by file. */
  fileBytes(path: string): Promise<bigint>;
}

async function writeConf(folder: string, web: string): Promise<string> {
  const address = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
  const conf = join(folder, 'conf');
  // The artifacts come without the servers' pages, and the servers insist on a folder of them.
  for (const name of ['hdfs', 'datanode']) {
    await mkdir(join(conf, 'webapps', name, 'WEB-INF'), { recursive: true });
  }
  const files: Record<string, Record<string, string>> = {
    'core-site.xml': {
      'fs.defaultFS': `hdfs://${await address()}`,
      'hadoop.tmp.dir': join(folder, 'tmp'),
    },
    'hdfs-site.xml': {
      'dfs.namenode.name.dir': join(folder, 'names'),
      'dfs.datanode.data.dir': join(folder, 'data'),
      'dfs.namenode.http-address': web,
      'dfs.datanode.address': await address(),
      'dfs.datanode.http.address': await address(),
      'dfs.datanode.ipc.address': await address(),
      'dfs.datanode.hostname': '127.0.0.1',
      'dfs.namenode.datanode.registration.ip-hostname-check': 'false',
      'dfs.namenode.safemode.extension': '0',
      'dfs.permissions.enabled': 'false',
    },
  };
  for (const [name, properties] of Object.entries(files)) {
    await writeFile(join(conf, name), siteXml(properties));
  }
  await writeFile(join(conf, 'log4j.properties'), LOG4J);
  return conf;
}

interface FileStatus {
  readonly pathSuffix: string;
  readonly type: 'FILE' | 'DIRECTORY';
  readonly length: number;
  readonly replication: number;
}

/** A DataNode says 100 Continue to who hasn't asked for it, which `fetch` takes for no answer. */
async function putBytes(address: string, body: Uint8Array): Promise<void> {
  const asked = request(address, { method: 'PUT', headers: { expect: '100-continue' } });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const said = await text(answer);
  if (answer.statusCode !== 201) throw new Error(`PUT ${address}: ${answer.statusCode} ${said}`);
}

class WebHdfs {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async #ask(method: string, path: string, query: string, body?: Uint8Array): Promise<unknown> {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const address = `${this.#url}/webhdfs/v1${encoded}?user.name=alice&${query}`;
    // A DataNode takes the bytes; where, the NameNode says.
    const first = await fetch(address, { method, redirect: 'manual' });
    const place = first.headers.get('location');
    if (body !== undefined) return putBytes(place ?? address, body);
    const answer = place === null ? first : await fetch(place, { method });
    if (!answer.ok)
      throw new Error(`${method} ${address}: ${answer.status} ${await answer.text()}`);
    const said = await answer.text();
    return said === '' ? undefined : JSON.parse(said);
  }

  async write(path: string, bytes: number, replication: number): Promise<void> {
    const body = new Uint8Array(bytes).fill(7);
    await this.#ask('PUT', path, `op=CREATE&replication=${replication}`, body);
  }

  async delete(path: string): Promise<void> {
    await this.#ask('DELETE', path, 'op=DELETE&recursive=true');
  }

  async fileBytes(path: string): Promise<bigint> {
    const told = await this.#ask('GET', path, 'op=LISTSTATUS');
    const { FileStatuses } = told as { FileStatuses: { FileStatus: FileStatus[] } };
    let sum = 0n;
    for (const { pathSuffix, type, length, replication } of FileStatuses.FileStatus) {
      if (type === 'FILE') sum += BigInt(length) * BigInt(replication);
      else sum += await this.fileBytes(`${path}/${pathSuffix}`);
    }
    return sum;
  }
}

/** One NameNode and one DataNode, each a JVM of 256 MB. */
export async function startHdfs(): Promise<RunningHdfs> {
  await using started = new AsyncDisposableStack();
  const [lib, java] = [
    join(await installHadoop('hadoop-hdfs', ARTIFACTS), 'lib'),
    await javaHome(),
  ];
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-hdfs-'));
  started.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const web = `127.0.0.1:${await freePort()}`;
  const conf = await writeConf(folder, web);
  const command = join(java, 'bin/java');
  const args = (name: string): string[] => [
    ...['-Xmx256m', ...SHORT_RUN_JVM.split(' ')],
    '--add-opens=java.base/java.lang=ALL-UNNAMED',
    ...['-cp', `${conf}:${lib}/*`, `${SERVER}.${name}`],
  ];
  const nameNode = 'namenode.NameNode';
  await runInstaller(command, [...args(nameNode), '-format', '-nonInteractive'], { cwd: folder });
  const liveNodes = async (): Promise<number> => {
    const bean = 'Hadoop:service=NameNode,name=FSNamesystem';
    const answer = await fetch(`http://${web}/jmx?qry=${bean}`);
    const { beans } = (await answer.json()) as { beans: { NumLiveDataNodes: number }[] };
    return beans[0]?.NumLiveDataNodes ?? -1;
  };
  const start = async (name: string, ready: () => Promise<boolean>): Promise<void> => {
    const server = ServerProcess.start({
      ...{ name: `HDFS' ${name}`, command, args: args(name), env: { JAVA_HOME: java } },
      ...{ stopSignal: 'SIGTERM', ready },
    });
    started.use(await server);
  };
  await start(nameNode, async () => (await liveNodes()) >= 0);
  await start('datanode.DataNode', async () => (await liveNodes()) > 0);
  const url = `http://${web}`;
  const files = new WebHdfs(url);
  const open = started.move();
  return {
    url,
    write: (path, bytes, replication) => files.write(path, bytes, replication),
    delete: (path) => files.delete(path),
    fileBytes: (path) => files.fileBytes(path),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
