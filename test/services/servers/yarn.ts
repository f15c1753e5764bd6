import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/running-tollgate.ts';
import { installHadoop, javaHome, siteXml } from './hadoop.ts';
import { ServerProcess } from './server-process.ts';
import { SHORT_RUN_JVM, type SparkHome } from './spark.ts';

/** The ResourceManager doesn't start without the classes of the timeline service's second version. */
const ARTIFACTS = [
  'hadoop-common',
  'hadoop-yarn-client',
  'hadoop-yarn-server-resourcemanager',
  'hadoop-yarn-server-nodemanager',
  'hadoop-yarn-server-timelineservice',
];
const SERVER = 'org.apache.hadoop.yarn.server';
/** YARN rounds memory up to a multiple of it. */
export const YARN_MEMORY_STEP_MIB = 256;

/** The manager's audit log has a file of its own. */
export const LOG4J = `log4j.rootLogger=WARN,out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
log4j.logger.${SERVER}.resourcemanager.RMAuditLogger=INFO,audit
log4j.appender.audit=org.apache.log4j.FileAppender
log4j.appender.audit.File=\${audit.file}
log4j.appender.audit.layout=org.apache.log4j.PatternLayout
log4j.appender.audit.layout.ConversionPattern=%d{ISO8601} %m%n
`;

/** A container as the ResourceManager's audit log has it; times in ms. */
export interface YarnContainer {
  readonly container: string;
  readonly application: string;
  readonly createdAt: number;
  /** Undefined while it is held. */
  readonly finishedAt: number | undefined;
  readonly memoryMib: number;
}

/** What is added to the servers' configuration files. */
export interface YarnSettings {
  readonly site?: Readonly<Record<string, string>>;
  readonly scheduler?: Readonly<Record<string, string>>;
}

export interface RunningYarn extends AsyncDisposable {
  /** `http://127.0.0.1:port`, whose `/ws/v1/cluster` the cluster reader asks. */
  readonly resourceManagerUrl: string;
  /** Holds the clients' `yarn-site.xml`: `HADOOP_CONF_DIR`. */
  readonly confFolder: string;
  /** Of a Spark that submits to it. */
  readonly env: Readonly<Record<string, string>>;
  /** What of Spark's configuration this cluster needs. */
  readonly conf: Readonly<Record<string, string>>;
  /** The NodeManager lays a container's files at `<application>/<container>/stderr` below it. */
  readonly logFolder: string;
  /** The manager's own account of every container that it ever granted. */
  containers(): YarnContainer[];
  /** The JVM of a running container: what a kill -9 is for. */
  pidOf(container: string): number;
}

/** ResourceManager and NodeManager with what they need: 90 MB, in `lib`. */
export const installYarn = (): Promise<string> => installHadoop('hadoop-yarn', ARTIFACTS);

interface Addresses {
  readonly clients: Readonly<Record<string, string>>;
  readonly servers: Readonly<Record<string, string>>;
  readonly resourceManagerUrl: string;
}

async function freeAddresses(): Promise<Addresses> {
  const address = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
  const web = await address();
  return {
    resourceManagerUrl: `http://${web}`,
    clients: {
      'yarn.resourcemanager.hostname': '127.0.0.1',
      'yarn.resourcemanager.address': await address(),
      'yarn.resourcemanager.scheduler.address': await address(),
      'yarn.resourcemanager.webapp.address': web,
    },
    servers: {
      'yarn.resourcemanager.bind-host': '127.0.0.1',
      'yarn.resourcemanager.resource-tracker.address': await address(),
      'yarn.resourcemanager.admin.address': await address(),
      'yarn.nodemanager.hostname': '127.0.0.1',
      'yarn.nodemanager.bind-host': '127.0.0.1',
      'yarn.nodemanager.localizer.address': await address(),
      'yarn.nodemanager.webapp.address': await address(),
    },
  };
}

function serverProperties(folder: string): Record<string, string> {
  return {
    'yarn.resourcemanager.scheduler.class': `${SERVER}.resourcemanager.scheduler.capacity.CapacityScheduler`,
    'yarn.scheduler.minimum-allocation-mb': `${YARN_MEMORY_STEP_MIB}`,
    // The manager learns of an ended process by the node's next heartbeat, so that its account is
    // as sharp as this.
    'yarn.resourcemanager.nodemanagers.heartbeat-interval-ms': '200',
    'yarn.nodemanager.resource.memory-mb': '8192',
    'yarn.nodemanager.resource.cpu-vcores': '8',
    'yarn.nodemanager.vmem-check-enabled': 'false',
    'yarn.nodemanager.pmem-check-enabled': 'false',
    'yarn.nodemanager.disk-health-checker.disk-utilization-threshold.enabled': 'false',
    'yarn.nodemanager.local-dirs': join(folder, 'local'),
    'yarn.nodemanager.log-dirs': join(folder, 'logs'),
  };
}

async function writeConf(
  folder: string,
  addresses: Addresses,
  { site, scheduler }: YarnSettings,
): Promise<void> {
  const { clients, servers } = addresses;
  const queue = 'yarn.scheduler.capacity';
  const files: Record<string, Record<string, string>> = {
    'core-site.xml': { 'fs.defaultFS': 'file:///', 'hadoop.tmp.dir': join(folder, 'tmp') },
    'capacity-scheduler.xml': {
      [`${queue}.root.queues`]: 'default',
      [`${queue}.root.default.capacity`]: '100',
      // Else a second application waits for its master.
      [`${queue}.maximum-am-resource-percent`]: '0.8',
      ...scheduler,
    },
    'yarn-site.xml': { ...clients, ...servers, ...serverProperties(folder), ...site },
  };
  for (const name of ['servers', 'clients', 'staging']) await mkdir(join(folder, name));
  for (const [name, properties] of Object.entries(files)) {
    await writeFile(join(folder, 'servers', name), siteXml(properties));
  }
  await writeFile(join(folder, 'servers/log4j.properties'), LOG4J);
  await writeFile(join(folder, 'clients/yarn-site.xml'), siteXml(clients));
  await writeFile(
    join(folder, 'clients/core-site.xml'),
    siteXml({ 'fs.defaultFS': 'file:///', 'hadoop.tmp.dir': join(folder, 'tmp') }),
  );
}

async function json<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/**
 * Source: org.apache.hadoop.yarn.server.resourcemanager.RMAuditLogger: `USER=… OPERATION=AM Allocated
 * Container … CONTAINERID=… RESOURCE=<memory:1024, vCores:1> …`, with tabs between, once when a
 * container is granted and once, as `AM Released Container`, when it is given back or has ended.
 */
function accountOf(auditFile: string): YarnContainer[] {
  const found = new Map<string, YarnContainer>();
  for (const line of readFileSync(auditFile, 'utf8').split('\n')) {
    const [, kind] = /OPERATION=AM (Allocated|Released) Container\t/.exec(line) ?? [];
    const [, container = ''] = /CONTAINERID=(\w+)/.exec(line) ?? [];
    if (kind === undefined) continue;
    // The server's zone is UTC.
    const at = Date.parse(`${line.slice(0, 23).replace(' ', 'T').replace(',', '.')}Z`);
    const granted = found.get(container);
    if (kind === 'Allocated') {
      const application = /APPID=(\w+)/.exec(line)?.[1] ?? '';
      const memoryMib = Number(/<memory:(\d+)/.exec(line)?.[1]);
      const finishedAt = undefined;
      found.set(container, { container, application, createdAt: at, finishedAt, memoryMib });
    } else if (granted !== undefined) found.set(container, { ...granted, finishedAt: at });
  }
  return [...found.values()];
}

interface RunningProcess {
  readonly pid: number;
  readonly folder: string;
  readonly command: readonly string[];
}

/** Those that work somewhere below a folder. */
function processesBelow(folder: string): RunningProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const cwd = readlinkSync(`/proc/${name}/cwd`);
      if (!cwd.startsWith(`${folder}/`)) return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return { pid: Number(name), folder: cwd, command };
    } catch {
      // It has ended since.
      return [];
    }
  });
}

function pidOf(folder: string, container: string): number {
  const found = processesBelow(folder).filter(
    (one) => one.folder.includes(`/${container}`) && /\/java$/.test(one.command[0] ?? ''),
  );
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`${found.length} processes of ${container}`);
  }
  return first.pid;
}

/** Containers are sessions of their own; those that a NodeManager left behind end here. */
function killBelow(folder: string): void {
  for (const { pid } of processesBelow(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** What a Spark needs to submit to it, in client or in cluster mode. */
function sparkConf({ home, env }: SparkHome, folder: string, java: string): Record<string, string> {
  const variables = { JAVA_HOME: java, ...env };
  const conf: Record<string, string> = {
    'spark.master': 'yarn',
    'spark.yarn.jars': `local:${home}/jars/*`,
    'spark.yarn.stagingDir': `file://${join(folder, 'staging')}`,
    'spark.yarn.maxAppAttempts': '1',
    'spark.yarn.am.extraJavaOptions': SHORT_RUN_JVM,
    'spark.yarn.am.memory': '384m',
  };
  for (const [name, value] of Object.entries(variables)) {
    conf[`spark.yarn.appMasterEnv.${name}`] = value;
    conf[`spark.executorEnv.${name}`] = value;
  }
  return conf;
}

/** One ResourceManager and one NodeManager of 8 GiB, each a JVM of 256 MB. */
export async function startYarn(
  spark: SparkHome,
  settings: YarnSettings = {},
): Promise<RunningYarn> {
  await using started = new AsyncDisposableStack();
  const [lib, java] = [join(await installYarn(), 'lib'), await javaHome()];
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-yarn-'));
  started.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  started.defer(() => killBelow(folder));
  const addresses = await freeAddresses();
  await writeConf(folder, addresses, settings);
  const { resourceManagerUrl } = addresses;
  const auditFile = join(folder, 'audit.log');
  const start = async (name: string, ready: () => Promise<boolean>): Promise<void> => {
    const server = ServerProcess.start({
      name: `YARN's ${name}`,
      command: join(java, 'bin/java'),
      args: [
        ...['-Xmx256m', ...SHORT_RUN_JVM.split(' ')],
        '--add-opens=java.base/java.lang=ALL-UNNAMED',
        `-Daudit.file=${auditFile}`,
        ...['-cp', `${join(folder, 'servers')}:${lib}/*`, `${SERVER}.${name}`],
      ],
      env: { JAVA_HOME: java, TZ: 'UTC' },
      stopSignal: 'SIGTERM',
      ready,
    });
    started.use(await server);
  };
  const nodes = async (): Promise<number> => {
    const answer = await json<{ clusterMetrics: { activeNodes: number } }>(
      `${resourceManagerUrl}/ws/v1/cluster/metrics`,
    );
    return answer.clusterMetrics.activeNodes;
  };
  await start('resourcemanager.ResourceManager', async () => (await nodes()) >= 0);
  // Last, so that it ends first: without its manager it takes long to.
  await start('nodemanager.NodeManager', async () => (await nodes()) > 0);
  const confFolder = join(folder, 'clients');
  const open = started.move();
  return {
    resourceManagerUrl,
    confFolder,
    env: { HADOOP_CONF_DIR: confFolder, HADOOP_USER_NAME: 'alice' },
    conf: sparkConf(spark, folder, java),
    logFolder: join(folder, 'logs'),
    containers: () => accountOf(auditFile),
    pidOf: (container) => pidOf(folder, container),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
