import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { freePort, RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from './servers/spark.ts';
import { buildAgent } from './servers/spark-agent.ts';
import {
  type RunningYarn,
  startYarn,
  YARN_MEMORY_STEP_MIB,
  type YarnContainer,
} from './servers/yarn.ts';
import {
  type Charged,
  type Compared,
  chargedContainers,
  compare,
  comparisonTable,
  toldLives,
} from './spark/container-account.ts';
import { eventLogContainers } from './spark/event-log-containers.ts';
import { LogArrivals } from './spark/log-arrivals.ts';

const CLUSTER = 'lab';
const BATCH = 'orders';
const STREAM = 'clicks';
/** The stated limit: of an executor against the manager's account and the event log's. */
const WITHIN_MS = 1_000;
/**
 * A master lives on after its application's end, to tidy up and to sign off; nobody but the manager
 * sees that, and the application's own word stands before the manager's.
 */
const MASTER_WITHIN_MS = 3_000;
/** From a kill -9 to the end that is charged. */
const DEATH_WITHIN_MS = 3_000;
const ARRIVES_WITHIN_MS = 180_000;
/** Stated: 2 s from a log line's time until it is found; three times that for a busy machine. */
const FOUND_WITHIN_MS = 6_000;
const LAYOUT = resolve(
  import.meta.dirname,
  '../../services/spark-agent/log4j2/tcp-spark4.properties',
);
/** No application here lives for so long, but on a machine that does much else. */
const RUNS_WITHIN_MS = 400_000;
const here = (file: string): string => join(import.meta.dirname, 'spark', file);

function limitOf({ role }: Charged): number {
  return role === 'executor' ? WITHIN_MS : MASTER_WITHIN_MS;
}

function applicationOf({ stderr }: SparkRun): string {
  return /Submitted application (application_\d+_\d+)/.exec(stderr)?.[1] ?? 'none';
}

/** What its containers wrote last. */
function containerLogs({ logFolder }: RunningYarn, application: string): string {
  const files = globSync(`${logFolder}/${application}/*/{stdout,stderr}`);
  return files.map((file) => `\n${file}:\n${readFileSync(file, 'utf8').slice(-3_000)}`).join('');
}

/** The JVM of a driver in client mode, by an argument that nobody else has. */
function driverOf(argument: string): number {
  const found = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return /(^|\/)java$/.test(command[0] ?? '') && command.includes(argument);
    } catch {
      // It has ended since.
      return false;
    }
  });
  assert.equal(found.length, 1, `${found.length} drivers with ${argument}`);
  return Number(found[0]);
}

interface Endless {
  readonly checkpoints: string;
  readonly ended: Promise<SparkRun>;
  /** Its containers, once Spark knows as many as there should be and has done batches since. */
  readonly atWork: () => Promise<YarnContainer[]>;
}

interface Deaths {
  /** When containers were killed, by their ids. */
  readonly of: ReadonlyMap<string, number>;
  /** When the others were, by the death of their driver. */
  readonly last: number;
}

describe('Spark on YARN, as the manager, the event log and the agent see it', {
  timeout: 900_000,
}, () => {
  const resources = new AsyncDisposableStack();
  let folder = '';
  let spark: SparkHome;
  let yarn: RunningYarn;
  let tollgate: RunningTollgate;
  let common: Record<string, string>;
  let logPort = 0;

  const events = (): string => join(folder, 'events');

  const run = (
    file: string,
    args: readonly string[],
    conf: Record<string, string>,
  ): Promise<SparkRun> => {
    const timeoutMs = RUNS_WITHIN_MS;
    return runSpark(spark, { app: here(file), args, timeoutMs, conf: { ...common, ...conf } });
  };

  /** Asks until it holds; the error says what was seen last. */
  const until = <T>(ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> =>
    tollgate.until(ask, done, ARRIVES_WITHIN_MS);

  /** The accounts of an application once its manager's is closed and its charges stand still. */
  const accounts = async (t: TestContext, application: string): Promise<Compared[]> => {
    const manager = await until(
      async () => yarn.containers().filter((one) => one.application === application),
      (all) => all.length > 0 && all.every(({ finishedAt }) => finishedAt !== undefined),
    );
    const ask = async (): Promise<Compared[]> =>
      compare(
        manager,
        await eventLogContainers(events()),
        await toldLives(join(folder, 'data/ledger.db')),
        await chargedContainers(tollgate, [BATCH, STREAM]),
      );
    const isSettled = (rows: Compared[]): boolean =>
      rows.every(({ charged, differsMs, said, told }) => {
        const ends = said?.endedAt !== undefined;
        const areTold = (['agent', 'event-log'] as const).every(
          (witness) => !ends || told.get(witness)?.end !== undefined,
        );
        return areTold && Math.abs(differsMs) <= limitOf(charged);
      });
    const rows = await until(ask, isSettled).catch(ask);
    for (const line of comparisonTable(rows)) t.diagnostic(line);
    return rows;
  };

  /** The manager keeps a sum of all containers apart from the account of each. */
  const checkMemorySeconds = async (application: string, rows: Compared[]): Promise<void> => {
    const answer = await fetch(`${yarn.resourceManagerUrl}/ws/v1/cluster/apps/${application}`);
    const { app } = (await answer.json()) as { app: { memorySeconds: number } };
    const accounted = rows.reduce((sum, { manager }) => {
      const { createdAt, finishedAt = Number.NaN, memoryMib } = manager;
      return sum + ((finishedAt - createdAt) * memoryMib) / 1_000;
    }, 0);
    const off = Math.abs(accounted - app.memorySeconds);
    const label = `${accounted} MiB s in its containers, ${app.memorySeconds} in its sum`;
    assert.ok(off <= 0.02 * app.memorySeconds, label);
  };

  const checkRow = (row: Compared, project: string): void => {
    const { manager, said, told, charged, differsMs } = row;
    const label = `${manager.container} (${charged.role})`;
    assert.equal(charged.project, project, label);
    assert.equal(charged.mibMs, charged.ms * manager.memoryMib, `${label}: memory as granted`);
    const isNear = Math.abs(differsMs) <= limitOf(charged);
    assert.ok(isNear, `${label}: ${differsMs} ms off the manager's account`);
    if (said?.endedAt === undefined) return;
    const end = manager.createdAt + charged.ms;
    assert.ok(Math.abs(end - said.endedAt) <= WITHIN_MS, `${label}: ${end - said.endedAt} ms`);
    // Spark tells of a container once its process has started and found the driver.
    assert.ok(said.startedAt >= manager.createdAt, `${label}: begins before it was granted`);
    const [agent, log] = [told.get('agent'), told.get('event-log')];
    const expected = { start: said.startedAt, end: said.endedAt };
    assert.deepEqual(log, expected, `${label}: the event log as it was written`);
    assert.deepEqual(agent, expected, `${label}: the agent says the same to the ms`);
    // The manager's answer has the time of the grant, its log that of the line.
    const polled = (told.get('yarn')?.start ?? Number.NaN) - manager.createdAt;
    assert.ok(Math.abs(polled) <= WITHIN_MS, `${label}: polled ${polled} ms off`);
  };

  /** YARN brings the layout to every container, as the README of log4j2 says it. */
  const shipping = (project: string): Record<string, string> => {
    const layout = '-Dlog4j2.configurationFile=tcp-spark4.properties';
    const options = `${layout} -Dtollgate.log.port=${logPort} -Dtollgate.project=${project}`;
    const ids = '-Dtollgate.application={{APP_ID}} -Dtollgate.executor={{EXECUTOR_ID}}';
    return {
      'spark.files': LAYOUT,
      'spark.driver.extraJavaOptions': options,
      'spark.executor.extraJavaOptions': `${options} ${ids}`,
    };
  };

  const checkArrivals = (t: TestContext, arrivals: LogArrivals): void => {
    const found = arrivals.found();
    for (const { container, lines, medianMs, longestMs } of found) {
      const label = `${container}: ${lines} log lines found ${medianMs} ms after they were written`;
      t.diagnostic(`${label} (median), ${longestMs} ms (longest)`);
      assert.ok(longestMs < FOUND_WITHIN_MS, `${container}: ${longestMs} ms`);
    }
    const containers = found.map(({ container }) => container);
    assert.deepEqual(containers, ['1', 'driver'], 'by project and application');
    assert.ok(found.every(({ lines }) => lines > 20));
  };

  before(async () => {
    folder = resources.use(await temporaryFolder()).path;
    await mkdir(events());
    spark = await installSpark();
    const { jar } = await buildAgent(spark, folder);
    yarn = resources.use(await startYarn(spark));
    spark = { ...spark, env: { ...spark.env, ...yarn.env } };
    logPort = await freePort();
    const cluster = {
      id: CLUSTER,
      type: 'yarn',
      urls: [yarn.resourceManagerUrl],
      pollIntervalMs: 1_000,
      eventLogs: [events()],
      yarnMemoryStepMib: YARN_MEMORY_STEP_MIB,
    };
    tollgate = resources.use(
      await RunningTollgate.start(folder, {
        containers: { clusters: [cluster], scanIntervalMs: 500 },
        metrics: { graphite: [] },
        logs: { tcp: [{ port: logPort, cluster: CLUSTER }] },
        metering: { settleIntervalMs: 500 },
      }),
    );
    common = {
      ...yarn.conf,
      'spark.jars': jar,
      'spark.plugins': 'tollgate.spark.TollgatePlugin',
      'spark.tollgate.url': tollgate.url,
      'spark.tollgate.cluster': CLUSTER,
      'spark.tollgate.spool.dir': join(folder, 'spool'),
      'spark.tollgate.heartbeat': '1s',
      'spark.executor.memory': '512m',
      'spark.executor.cores': '1',
      'spark.sql.shuffle.partitions': '1',
      // Spark hears of a lost container by its master's next heartbeat.
      'spark.yarn.scheduler.heartbeat.interval-ms': '300',
      'spark.eventLog.enabled': 'true',
      'spark.eventLog.dir': `file://${events()}`,
      'spark.eventLog.compress': 'true',
      'spark.eventLog.compression.codec': 'zstd',
      'spark.eventLog.rolling.enabled': 'true',
    };
  });
  after(() => resources.disposeAsync());

  test('a batch that grows and shrinks and a stream of another project are charged what all three say', async (t) => {
    await using arrivals = LogArrivals.start(tollgate, STREAM);
    const [batch, stream] = await Promise.all([
      run('scaling.py', [], {
        'spark.tollgate.project': BATCH,
        'spark.dynamicAllocation.enabled': 'true',
        'spark.dynamicAllocation.shuffleTracking.enabled': 'true',
        'spark.dynamicAllocation.shuffleTracking.timeout': '2s',
        'spark.dynamicAllocation.executorIdleTimeout': '2s',
        'spark.dynamicAllocation.maxExecutors': '2',
      }),
      run('streaming.py', ['none:', join(folder, 'checkpoints'), '3'], {
        'spark.submit.deployMode': 'cluster',
        ...shipping(STREAM),
        'spark.tollgate.project': STREAM,
        'spark.executor.instances': '1',
      }),
    ]);
    t.diagnostic(`batch ${batch.tookMs} ms, streaming ${stream.tookMs} ms`);
    for (const ran of [batch, stream]) {
      const { exitCode, stdout, stderr } = ran;
      const logs = containerLogs(yarn, applicationOf(ran));
      assert.equal(exitCode, 0, `${stdout.slice(-2_000)}${stderr.slice(-4_000)}${logs}`);
    }
    checkArrivals(t, arrivals);
    assert.match(batch.stdout, /RELEASED/);
    for (const [ran, project, least] of [
      [batch, BATCH, 3],
      [stream, STREAM, 1],
    ] as const) {
      const application = applicationOf(ran);
      const rows = await accounts(t, application);
      const executors = rows.filter(({ charged }) => charged.role === 'executor');
      assert.ok(executors.length >= least, `${executors.length} executors of ${project}`);
      for (const row of rows) checkRow(row, project);
      await checkMemorySeconds(application, rows);
    }
    // In client mode no manager grants the driver anything: the log alone tells of it.
    const driver = `${applicationOf(batch)}//driver`;
    const said = (await eventLogContainers(events())).find(({ container }) => container === driver);
    const charged = (await chargedContainers(tollgate, [BATCH])).get(driver);
    assert.equal(charged?.ms, (said?.endedAt ?? Number.NaN) - (said?.startedAt ?? Number.NaN));
  });

  /** Starts an application that never ends, and returns once `containers` of it do batches. */
  const startEndless = async (
    name: string,
    containers: number,
    conf: Record<string, string>,
  ): Promise<Endless> => {
    const known = new Set(yarn.containers().map(({ application }) => application));
    const effects = join(folder, `effects-${name}`);
    const checkpoints = join(folder, `checkpoints-${name}`);
    const ended = run('endless.py', [checkpoints, effects], {
      'spark.tollgate.project': BATCH,
      ...conf,
    });
    const batches = (): number =>
      existsSync(effects) ? readFileSync(effects, 'utf8').split('\n').length : 0;
    const atWork = async (): Promise<YarnContainer[]> => {
      const before = batches();
      return await until(
        async () => {
          const [all, said] = [yarn.containers(), await eventLogContainers(events())];
          const told = new Set(said.map(({ container }) => container));
          return all
            .filter(({ application }) => !known.has(application))
            .filter(({ container, finishedAt }) => finishedAt === undefined && told.has(container))
            .sort((a, b) => (a.container < b.container ? -1 : 1));
        },
        (live) => live.length === containers && batches() >= before + 4,
      );
    };
    await atWork();
    return { checkpoints, ended, atWork };
  };

  /** Charged from the grant to the death, which the manager knows by its node's next heartbeat. */
  const checkDeaths = async (t: TestContext, rows: Compared[], deaths: Deaths): Promise<void> => {
    for (const row of rows) {
      const { container, createdAt } = row.manager;
      checkRow(row, BATCH);
      const off = createdAt + row.charged.ms - (deaths.of.get(container) ?? deaths.last);
      t.diagnostic(`${container}: charged until ${off} ms after the kill`);
      assert.ok(off >= 0 && off <= DEATH_WITHIN_MS, `${container}: ${off} ms`);
    }
    await checkMemorySeconds(rows[0]?.manager.application ?? '', rows);
  };

  test('kill -9 of an executor, then of the driver in its master: charged up to their deaths', async (t) => {
    const endless = await startEndless('cluster', 3, {
      'spark.submit.deployMode': 'cluster',
      'spark.executor.instances': '2',
    });
    const of = new Map<string, number>();
    const kill = (one: YarnContainer | undefined): void => {
      assert.ok(one !== undefined);
      of.set(one.container, Date.now());
      process.kill(yarn.pidOf(one.container), 'SIGKILL');
    };
    kill((await endless.atWork())[1]);
    const [master] = await until(endless.atWork, (all) =>
      all.every(({ container }) => !of.has(container)),
    );
    kill(master);
    const last = Date.now();
    assert.notEqual((await endless.ended).exitCode, 0);
    const rows = await accounts(t, master?.application ?? '');
    assert.equal(rows.length, 4, 'the master, two executors and the one that came for the dead');
    await checkDeaths(t, rows, { of, last });
  });

  test('kill -9 of a driver outside of the cluster: its containers end with the manager', async (t) => {
    const endless = await startEndless('client', 2, { 'spark.executor.instances': '1' });
    const [master] = await endless.atWork();
    const application = master?.application ?? '';
    const last = Date.now();
    process.kill(driverOf(endless.checkpoints), 'SIGKILL');
    assert.notEqual((await endless.ended).exitCode, 0);
    await checkDeaths(t, await accounts(t, application), { of: new Map(), last });
    const driver = `${application}//driver`;
    const said = (await eventLogContainers(events())).find(({ container }) => container === driver);
    const ask = async () => (await chargedContainers(tollgate, [BATCH])).get(driver);
    const charged = await until(ask, (found) => found?.coverage === 'inferred').catch(ask);
    const off = (said?.startedAt ?? Number.NaN) + (charged?.ms ?? Number.NaN) - last;
    t.diagnostic(`${driver}: charged until ${off} ms after the kill, ${charged?.coverage}`);
    assert.ok(Math.abs(off) <= DEATH_WITHIN_MS, `${off} ms`);
  });

  test('nothing of it was refused', async () => {
    const { counts } = await tollgate.get<{ counts: object[] }>('/v1/quarantine');
    assert.deepEqual(counts, []);
  });
});
