import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { postgresConfig } from '../../../shared/stores/sql/config.ts';
import { openPostgresLedger } from '../../../shared/stores/sql/open-postgres-ledger.ts';
import { freePort, RunningTollgate, temporaryFolder } from '../../support/running-tollgate.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from '../servers/spark.ts';
import { buildAgent } from '../servers/spark-agent.ts';
import { type RunningStandalone, startStandalone } from '../servers/spark-standalone.ts';
import { type DistributedStores, startDistributedStores } from '../support/distributed-stores.ts';
import { RETRY } from '../support/postgres-schema.ts';
import { journaledLives } from './container-account.ts';
import { javaProcess } from './java-process.ts';
import { type StandaloneExecutor, standaloneAccount } from './standalone-account.ts';

const CLUSTER = 'lab';
/** What each executor asks for. */
const EXECUTOR_MIB = 512;
/** How late a launch or an end may be noticed by a look at the manager. */
const POLL_MS = 250;
/** No application here lives for so long, but on a machine that does much else. */
const RUNS_WITHIN_MS = 400_000;
const ARRIVES_WITHIN_MS = 180_000;

type Role = 'collect' | 'meter' | 'serve';

/** An application that does small jobs until it is told to end. */
export interface WaitingApplication {
  readonly application: string;
  readonly ended: Promise<SparkRun>;
  readonly driverPid: () => number;
  /** Lets it end by itself. */
  readonly stop: () => Promise<void>;
}

/**
 * A standalone cluster of a master and two workers, with Tollgate's services as processes of their
 * own on Elasticsearch, InfluxDB and PostgreSQL.
 */
export class StandalonePlatform implements AsyncDisposable {
  readonly folder: string;
  readonly cluster: RunningStandalone;
  readonly #spark: SparkHome;
  readonly #jar: string;
  readonly #stores: DistributedStores;
  readonly #collectPort: number;
  readonly #roles = new Map<Role, RunningTollgate>();
  readonly #resources: AsyncDisposableStack;

  private constructor(parts: {
    readonly folder: string;
    readonly cluster: RunningStandalone;
    readonly spark: SparkHome;
    readonly jar: string;
    readonly stores: DistributedStores;
    readonly collectPort: number;
    readonly resources: AsyncDisposableStack;
  }) {
    this.folder = parts.folder;
    this.cluster = parts.cluster;
    this.#spark = parts.spark;
    this.#jar = parts.jar;
    this.#stores = parts.stores;
    this.#collectPort = parts.collectPort;
    this.#resources = parts.resources;
  }

  static async start(): Promise<StandalonePlatform> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await temporaryFolder()).path;
    await mkdir(join(folder, 'events'));
    const spark = await installSpark();
    const [stores, cluster, { jar }] = await Promise.all([
      startDistributedStores().then((started) => resources.use(started)),
      startStandalone(spark, folder, { workers: 2, cores: 6, memory: '4g' }).then((started) =>
        resources.use(started),
      ),
      buildAgent(spark, folder),
    ]);
    const collectPort = await freePort();
    const parts = { folder, cluster, spark, jar, stores, collectPort };
    const platform = new StandalonePlatform({ ...parts, resources: resources.move() });
    await using started = new AsyncDisposableStack();
    started.use(platform);
    await Promise.all((['collect', 'meter', 'serve'] as const).map((role) => platform.run(role)));
    started.move();
    return platform;
  }

  /** Starts a service where it ran before: on its port and its data. */
  async run(role: Role): Promise<void> {
    const { cluster, folder } = this;
    const lab = {
      ...{ id: CLUSTER, type: 'standalone', urls: [cluster.url], pollIntervalMs: POLL_MS },
      eventLogs: [join(folder, 'events')],
    };
    const executorLogs = join(cluster.workFolder, '{application}/{container}/stderr');
    const config = {
      stores: this.#stores.stores,
      logs: { files: [{ paths: [executorLogs], cluster: CLUSTER }] },
      containers: { clusters: [lab], scanIntervalMs: 500 },
      metrics: { graphite: [] },
      metering: { settleIntervalMs: 500, meterLeaseMs: 3_000 },
      ...(role === 'collect' ? { api: { port: this.#collectPort } } : {}),
    };
    this.#roles.set(role, await RunningTollgate.start(folder, config, role));
  }

  role(name: Role): RunningTollgate {
    const found = this.#roles.get(name);
    if (found === undefined) throw new Error(`${name} was not started`);
    return found;
  }

  async kill(role: Role): Promise<void> {
    await this.role(role).kill();
  }

  /** `spark-submit` of a file in this folder, with the agent's three lines. */
  submit(
    file: string,
    args: readonly string[],
    conf: Readonly<Record<string, string>>,
  ): Promise<SparkRun> {
    return runSpark(this.#spark, {
      app: join(import.meta.dirname, file),
      args,
      timeoutMs: RUNS_WITHIN_MS,
      conf: {
        'spark.master': this.cluster.master,
        'spark.jars': this.#jar,
        'spark.plugins': 'tollgate.spark.TollgatePlugin',
        'spark.tollgate.url': `http://127.0.0.1:${this.#collectPort}`,
        'spark.tollgate.cluster': CLUSTER,
        'spark.tollgate.spool.dir': join(this.folder, 'spool'),
        'spark.tollgate.heartbeat': '1s',
        'spark.executor.memory': `${EXECUTOR_MIB}m`,
        'spark.executor.cores': '1',
        'spark.cores.max': '2',
        'spark.sql.shuffle.partitions': '1',
        'spark.eventLog.enabled': 'true',
        'spark.eventLog.dir': `file://${join(this.folder, 'events')}`,
        'spark.eventLog.compress': 'true',
        'spark.eventLog.compression.codec': 'zstd',
        'spark.eventLog.rolling.enabled': 'true',
        ...conf,
      },
    });
  }

  /** Resolves once it has two executors. */
  async startWaiting(
    name: string,
    conf: Readonly<Record<string, string>>,
  ): Promise<WaitingApplication> {
    const own = join(this.folder, `waiting-${name}`);
    await mkdir(own);
    const ended = this.submit('waiting.py', [own, '2'], conf);
    const early = ended.then(({ stderr }) => {
      if (!existsSync(join(own, 'ready'))) throw new Error(`it ended: ${stderr.slice(-4_000)}`);
    });
    const ready = this.until(
      async () => existsSync(join(own, 'ready')),
      (isReady) => isReady,
    );
    await Promise.race([ready, early.then(() => ready)]);
    return {
      application: readFileSync(join(own, 'ready'), 'utf8'),
      ended,
      driverPid: () => javaProcess([own, '2']),
      stop: () => writeFile(join(own, 'stop'), ''),
    };
  }

  /** All executors that the manager launched for an application, by the manager's own account. */
  executors(application: string): StandaloneExecutor[] {
    return standaloneAccount(this.cluster, EXECUTOR_MIB).filter(
      (one) => one.application === application,
    );
  }

  /** Its executors, once it has two that its driver knows. */
  async atWork(application: string): Promise<StandaloneExecutor[]> {
    return await this.until(
      async () => {
        const live = this.executors(application).filter(
          ({ finishedAt }) => finishedAt === undefined,
        );
        const lives = await this.lives();
        return live.filter(({ container }) => lives.get(container)?.has('agent'));
      },
      (live) => live.length === 2,
    );
  }

  executorPid({ application, executor }: StandaloneExecutor): number {
    return javaProcess(['--executor-id', executor], ['--app-id', application]);
  }

  /** As journaledLives, of the whole journal. */
  async lives(): ReturnType<typeof journaledLives> {
    const { url, schema } = this.#stores.stores.ledger;
    const config = postgresConfig.parse({ url, schema, poolSize: 1 });
    await using ledger = await openPostgresLedger(config, RETRY);
    return await journaledLives(ledger.journalReader);
  }

  /** Asks until it holds; the error says what was seen last. */
  until<T>(ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> {
    return this.role('serve').until(ask, done, ARRIVES_WITHIN_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const role of this.#roles.values()) await role.kill();
    await this.#resources.disposeAsync();
  }
}
