import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../support/running-tollgate.ts';
import { javaHome, siteXml } from './hadoop.ts';
import { ServerProcess } from './server-process.ts';
import { SHORT_RUN_JVM } from './spark.ts';
import { installYarn, LOG4J } from './yarn.ts';

const IDS = ['rm1', 'rm2'] as const;
type RmId = (typeof IDS)[number];

/** Two ResourceManagers of one cluster without nodes: what is submitted waits. */
export interface RunningYarnPair extends AsyncDisposable {
  readonly urls: Readonly<Record<RmId, string>>;
  /** By hand, as an administrator does it. */
  transition(to: 'Active' | 'Standby', id: RmId): Promise<void>;
}

async function pairProperties(): Promise<{ common: Record<string, string>; web: string[] }> {
  const common: Record<string, string> = {
    'yarn.resourcemanager.ha.enabled': 'true',
    'yarn.resourcemanager.ha.rm-ids': IDS.join(),
    'yarn.resourcemanager.ha.automatic-failover.enabled': 'false',
    'yarn.resourcemanager.cluster-id': 'lab',
  };
  const web: string[] = [];
  for (const id of IDS) {
    common[`yarn.resourcemanager.hostname.${id}`] = '127.0.0.1';
    for (const name of ['address', 'scheduler.address', 'resource-tracker.address']) {
      common[`yarn.resourcemanager.${name}.${id}`] = `127.0.0.1:${await freePort()}`;
    }
    common[`yarn.resourcemanager.admin.address.${id}`] = `127.0.0.1:${await freePort()}`;
    const address = `127.0.0.1:${await freePort()}`;
    common[`yarn.resourcemanager.webapp.address.${id}`] = address;
    web.push(`http://${address}`);
  }
  return { common, web };
}

/** Both stand by until one is made active. */
export async function startYarnPair(): Promise<RunningYarnPair> {
  await using started = new AsyncDisposableStack();
  const [lib, java] = [join(await installYarn(), 'lib'), await javaHome()];
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-yarn-pair-'));
  started.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { common, web } = await pairProperties();
  const command = join(java, 'bin/java');
  const options = ['-Xmx256m', ...SHORT_RUN_JVM.split(' ')];
  const classPath = (id: RmId): string => `${join(folder, id)}:${lib}/*`;
  for (const [position, id] of IDS.entries()) {
    const own = join(folder, id);
    await mkdir(own);
    const site = { ...common, 'yarn.resourcemanager.ha.id': id };
    const queue = 'yarn.scheduler.capacity.root';
    const scheduler = { [`${queue}.queues`]: 'default', [`${queue}.default.capacity`]: '100' };
    const core = { 'fs.defaultFS': 'file:///', 'hadoop.tmp.dir': join(folder, 'tmp', id) };
    await writeFile(join(own, 'yarn-site.xml'), siteXml(site));
    await writeFile(join(own, 'core-site.xml'), siteXml(core));
    await writeFile(join(own, 'capacity-scheduler.xml'), siteXml(scheduler));
    await writeFile(join(own, 'log4j.properties'), LOG4J);
    const server = await ServerProcess.start({
      name: `YARN's ${id}`,
      command,
      args: [
        ...options,
        '--add-opens=java.base/java.lang=ALL-UNNAMED',
        `-Daudit.file=${join(own, 'audit.log')}`,
        ...['-cp', classPath(id)],
        'org.apache.hadoop.yarn.server.resourcemanager.ResourceManager',
      ],
      env: { JAVA_HOME: java, TZ: 'UTC' },
      stopSignal: 'SIGTERM',
      ready: async () => (await fetch(`${web[position]}/ws/v1/cluster/info`)).ok,
    });
    started.use(server);
  }
  const open = started.move();
  return {
    urls: { rm1: web[0] ?? '', rm2: web[1] ?? '' },
    transition: async (to, id) => {
      const admin = 'org.apache.hadoop.yarn.client.cli.RMAdminCLI';
      const args = [...options, '-cp', classPath('rm1'), admin, `-transitionTo${to}`, id];
      await promisify(execFile)(command, args, { env: { ...process.env, JAVA_HOME: java } });
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
