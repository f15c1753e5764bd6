import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredFact } from '../../../shared/stores/journal.ts';
import { postgresConfig } from '../../../shared/stores/sql/config.ts';
import type { Ledger } from '../../../shared/stores/sql/open-ledger.ts';
import { openPostgresLedger } from '../../../shared/stores/sql/open-postgres-ledger.ts';
import { freePort, RunningTollgate, temporaryFolder } from '../../support/running-tollgate.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from '../servers/spark.ts';
import { buildAgent } from '../servers/spark-agent.ts';
import { type RunningStandalone, startStandalone } from '../servers/spark-standalone.ts';
import { type StoreNames, startDistributedStores } from '../support/distributed-stores.ts';
import { RETRY } from '../support/postgres-schema.ts';
import { livesIn } from './container-account.ts';
import { javaProcess } from './java-process.ts';
import { type StandaloneExecutor, standaloneAccount } from './standalone-account.ts';

const CLUSTER = 'lab';
const TWO_WORKERS = { workers: 2, cores: 6, memory: '4g' };
/** What each executor asks for. */
const EXECUTOR_MIB = 512;
/** How late a launch or an end may be noticed by a look at the manager. */
const POLL_MS = 250;
/** No application here lives for so long, but on a machine that does much else. */
const RUNS_WITHIN_MS = 400_000;
const ARRIVES_WITHIN_MS = 180_000;

type Role = 'collect' | 'meter' | 'serve';

interface Parts {
  readonly folder: string;
  readonly cluster: RunningStandalone;
  readonly spark: SparkHome;
  readonly jar: string;
  readonly stores: StoreNames;
  readonly ledger: Ledger;
  readonly collectPort: number;
  readonly open: AsyncDisposableStack;
}

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
  readonly #parts: Parts;
  readonly #roles = new Map<Role, RunningTollgate>();
  readonly #facts: StoredFact[] = [];

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async start(): Promise<StandalonePlatform> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await temporaryFolder()).path;
    await mkdir(join(folder, 'events'));
    const spark = await installSpark();
    const [{ stores }, cluster, { jar }] = await Promise.all([
      startDistributedStores().then((started) => resources.use(started)),
      startStandalone(spark, folder, TWO_WORKERS).then((started) => resources.use(started)),
      buildAgent(spark, folder),
    ]);
    const { url, schema } = stores.ledger;
    const config = postgresConfig.parse({ url, schema, poolSize: 1 });
    const ledger = resources.use(await openPostgresLedger(config, RETRY));
    const collectPort = await freePort();
    const parts = { folder, cluster, spark, jar, stores, ledger, collectPort };
    const platform = new StandalonePlatform({ ...parts, open: resources.move() });
    try {
      await Promise.all((['collect', 'meter', 'serve'] as const).map((role) => platform.run(role)));
    } catch (error) {
      await platform[Symbol.asyncDispose]();
      throw error;
    }
    return platform;
  }

  get folder(): string {
    return this.#parts.folder;
  }

  get cluster(): RunningStandalone {
    return this.#parts.cluster;
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
      stores: this.#parts.stores,
      logs: { files: [{ paths: [executorLogs], cluster: CLUSTER }] },
      containers: { clusters: [lab], scanIntervalMs: 500 },
      metrics: { graphite: [] },
      metering: { settleIntervalMs: 500, meterLeaseMs: 3_000 },
      ...(role === 'collect' ? { api: { port: this.#parts.collectPort } } : {}),
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
    return runSpark(this.#parts.spark, {
      app: join(import.meta.dirname, file),
      args,
      timeoutMs: RUNS_WITHIN_MS,
      conf: {
        'spark.master': this.cluster.master,
        'spark.jars': this.#parts.jar,
        'spark.plugins': 'tollgate.spark.TollgatePlugin',
        'spark.tollgate.url': `http://127.0.0.1:${this.#parts.collectPort}`,
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

  /** Resolves once it has all its executors. */
  async startWaiting(
    name: string,
    executors: number,
    conf: Readonly<Record<string, string>>,
  ): Promise<WaitingApplication> {
    const own = join(this.folder, `waiting-${name}`);
    await mkdir(own);
    const args = [own, `${executors}`];
    const ended = this.submit('waiting.py', args, { ...conf, 'spark.cores.max': `${executors}` });
    let over: SparkRun | undefined;
    void ended.then((ran) => {
      over = ran;
    });
    const isReady = async (): Promise<boolean> => existsSync(join(own, 'ready'));
    await this.until(isReady, (ready) => ready || over !== undefined);
    if (!(await isReady())) {
      const { stdout = '', stderr = '' } = over ?? {};
      throw new Error(`${name} ended: ${stdout.slice(-2_000)}${stderr.slice(-4_000)}`);
    }
    const application = readFileSync(join(own, 'ready'), 'utf8');
    return {
      application,
      ended,
      driverPid: () => javaProcess(args),
      stop: () => writeFile(join(own, 'stop'), ''),
    };
  }

  /** All executors that the manager launched for an application, by the manager's own account. */
  executors(application: string): StandaloneExecutor[] {
    return standaloneAccount(this.cluster, EXECUTOR_MIB).filter(
      (one) => one.application === application,
    );
  }

  /** An application's executors, once it has so many that its driver knows. */
  async atWork(application: string, executors: number): Promise<StandaloneExecutor[]> {
    return await this.until(
      async () => {
        const lives = await this.lives();
        return this.executors(application).filter(
          ({ container, finishedAt }) =>
            finishedAt === undefined && lives.get(container)?.has('agent'),
        );
      },
      (live) => live.length === executors,
    );
  }

  executorPid({ application, executor }: StandaloneExecutor): number {
    return javaProcess(['--executor-id', executor], ['--app-id', application]);
  }

  /** As livesIn, of the whole journal. */
  async lives(): Promise<ReturnType<typeof livesIn>> {
    const { journalReader } = this.#parts.ledger;
    this.#facts.push(...(await journalReader.factsAfter(this.#facts.at(-1)?.seq ?? 0, 100_000)));
    return livesIn(this.#facts);
  }

  /** Asks until it holds; the error says what was seen last. */
  until<T>(ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> {
    return this.role('serve').until(ask, done, ARRIVES_WITHIN_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const role of this.#roles.values()) await role.kill();
    await this.#parts.open.disposeAsync();
  }
}
