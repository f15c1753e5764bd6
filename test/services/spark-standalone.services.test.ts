import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { SparkRun } from './servers/spark.ts';
import {
  type Compared,
  chargedContainers,
  compare,
  comparisonTable,
} from './spark/container-account.ts';
import { eventLogContainers, type SaidContainer } from './spark/event-log-containers.ts';
import { printedProgress } from './spark/spark-said.ts';
import type { StandaloneExecutor } from './spark/standalone-account.ts';
import { StandalonePlatform, type WaitingApplication } from './spark/standalone-platform.ts';

const BATCH = 'orders';
const STREAM = 'clicks';
const PROJECTS = [BATCH, STREAM];
/** The stated limit: of a charge against each account. */
const WITHIN_MS = 1_000;
/** From a kill -9 to the end charged: three times 1 s, since the manager itself must see it first. */
const DEATH_WITHIN_MS = 3_000;
/** How much earlier than a kill the last look at the manager may have been. */
const LOOKED_MS = 1_000;
const WIDE = 'from=2010-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';

interface Row extends Compared<StandaloneExecutor> {
  /** What is charged: from the earliest start that a witness told. */
  readonly start: number;
  readonly end: number;
}

interface Expected {
  readonly project: string;
  /** False where nobody looked at the manager when it launched, but the agent told of it. */
  readonly launchSeen?: (container: string) => boolean;
  /** False where the application writes no event log. */
  readonly logged?: boolean;
}

/** When containers were killed, by their ids. */
type Deaths = ReadonlyMap<string, number>;

/** How far outside of a span of time this is. */
const off = (at: number, from: number, until = from): number => Math.max(from - at, at - until, 0);
const isNear = (at: number, from: number, until = from): boolean =>
  off(at, from, until) <= WITHIN_MS;

function applicationOf({ stdout }: SparkRun): string {
  return /^APPLICATION (\S+)/m.exec(stdout)?.[1] ?? 'none';
}

function checkRun({ exitCode, stdout, stderr }: SparkRun): void {
  assert.equal(exitCode, 0, `${stdout.slice(-2_000)}${stderr.slice(-4_000)}`);
}

describe('Spark standalone, as the manager, the event log and the agent see it', {
  timeout: 900_000,
}, () => {
  let platform: StandalonePlatform;

  before(async () => {
    platform = await StandalonePlatform.start();
  });
  after(() => platform?.[Symbol.asyncDispose]());

  const eventLogs = (): Promise<SaidContainer[]> =>
    eventLogContainers(join(platform.folder, 'events'));

  /** The accounts of an application's executors once its manager's is closed and all have come. */
  const accounts = async (t: TestContext, application: string): Promise<Row[]> => {
    const manager = await platform.until(
      async () => platform.executors(application),
      (all) => all.length > 0 && all.every(({ finishedAt }) => finishedAt !== undefined),
    );
    const ask = async (): Promise<Row[]> => {
      const [said, told] = [await eventLogs(), await platform.lives()];
      const charged = await chargedContainers(platform.role('serve'), PROJECTS);
      return compare(manager, said, told, charged).map((row) => {
        const starts = [...row.told.values()].flatMap(({ start }) => start ?? []);
        const start = Math.min(...starts);
        return { ...row, start, end: start + row.charged.ms };
      });
    };
    const isSettled = (rows: Row[]): boolean =>
      rows.every(({ manager: { releasedAt, finishedAt }, said, told, end }) => {
        const isTold = said?.endedAt === undefined || told.get('agent')?.end !== undefined;
        return isTold && isNear(end, releasedAt, finishedAt);
      });
    const rows = await platform.until(ask, isSettled).catch(ask);
    const lines = comparisonTable(rows, ['standalone', 'event-log', 'agent']);
    for (const line of lines) t.diagnostic(line);
    return rows;
  };

  const checkRow = (row: Row, { project, launchSeen, logged = true }: Expected): void => {
    const { manager, said, told, charged, start, end } = row;
    const { container, createdAt, takenAt, releasedAt, finishedAt, memoryMib } = manager;
    assert.equal(charged.project, project, container);
    assert.equal(charged.mibMs, charged.ms * memoryMib, `${container}: memory as granted`);
    const lateMs = off(end, releasedAt, finishedAt);
    assert.ok(lateMs <= WITHIN_MS, `${container}: ends ${lateMs} ms off the manager's account`);
    const [agent, log] = [told.get('agent'), told.get('event-log')];
    if (launchSeen?.(container) ?? true) {
      const earlyMs = off(start, createdAt, takenAt);
      assert.ok(earlyMs <= WITHIN_MS, `${container}: begins ${earlyMs} ms off`);
      const life = [releasedAt - takenAt, (finishedAt ?? Number.NaN) - createdAt] as const;
      const differs = off(charged.ms, ...life);
      assert.ok(differs <= WITHIN_MS, `${container}: ${differs} ms off the manager's account`);
    } else {
      // Seen at the latest as its agent told, and earlier where the manager was asked before.
      const told = agent?.start ?? Number.NaN;
      assert.ok(start <= told, `${container}: begins ${start - told} ms after the agent told`);
      assert.ok(start >= createdAt - WITHIN_MS, `${container}: begins before it was granted`);
    }
    if (!logged) {
      assert.equal(said, undefined, `${container}: this application writes no event log`);
      return;
    }
    // Spark tells of an executor once its process has started and found the driver.
    assert.ok((said?.startedAt ?? 0) >= createdAt, `${container}: begins before it was granted`);
    const expected = { start: said?.startedAt, end: said?.endedAt };
    assert.deepEqual(log, expected, `${container}: the event log as it was written`);
    assert.deepEqual(agent, expected, `${container}: the agent says the same to the ms`);
    if (said?.endedAt === undefined) return;
    assert.ok(isNear(end, said.endedAt), `${container}: ${end - said.endedAt} ms off the log`);
  };

  /** In client mode no manager grants the driver anything: the log alone tells of it. */
  const checkDriver = async (application: string): Promise<void> => {
    const driver = `${application}//driver`;
    const said = (await eventLogs()).find(({ container }) => container === driver);
    const charged = (await chargedContainers(platform.role('serve'), PROJECTS)).get(driver);
    assert.equal(charged?.ms, (said?.endedAt ?? Number.NaN) - (said?.startedAt ?? Number.NaN));
  };

  const checkDeaths = (t: TestContext, rows: readonly Row[], deaths: Deaths): void => {
    for (const [container, killedAt] of deaths) {
      const end = rows.find(({ manager }) => manager.container === container)?.end ?? Number.NaN;
      const late = end - killedAt;
      t.diagnostic(`${container}: charged until ${late} ms after the kill`);
      assert.ok(
        late >= -LOOKED_MS && late <= DEATH_WITHIN_MS,
        `${container}: ${late} ms after the kill`,
      );
    }
  };

  test('a batch that grows and shrinks and a stream of another project are charged what all three say', async (t) => {
    const [batch, stream] = await Promise.all([
      platform.submit('scaling.py', [], {
        'spark.tollgate.project': BATCH,
        'spark.dynamicAllocation.enabled': 'true',
        'spark.dynamicAllocation.shuffleTracking.enabled': 'true',
        'spark.dynamicAllocation.shuffleTracking.timeout': '2s',
        'spark.dynamicAllocation.executorIdleTimeout': '2s',
        'spark.dynamicAllocation.maxExecutors': '2',
      }),
      platform.submit('streaming.py', ['none:', join(platform.folder, 'checkpoints'), '6'], {
        'spark.tollgate.project': STREAM,
        'spark.cores.max': '1',
      }),
    ]);
    t.diagnostic(`batch ${batch.tookMs} ms, streaming ${stream.tookMs} ms`);
    for (const ran of [batch, stream]) checkRun(ran);
    assert.match(batch.stdout, /RELEASED/);
    for (const [ran, project, least] of [
      [batch, BATCH, 3],
      [stream, STREAM, 1],
    ] as const) {
      const application = applicationOf(ran);
      const rows = await accounts(t, application);
      assert.ok(rows.length >= least, `${rows.length} executors of ${project}`);
      for (const row of rows) checkRow(row, { project });
      await checkDriver(application);
    }
    const printed = printedProgress(stream.stdout).length;
    const field = 'measurement=streaming_query&field=batch_id';
    const path = `/v1/projects/${STREAM}/metrics?${WIDE}&limit=1000&step=0&${field}`;
    type Metrics = { series: { points: unknown[] }[] };
    const { series } = await platform.role('serve').get<Metrics>(path);
    const points = series.flatMap((one) => one.points).length;
    assert.equal(points, printed, 'every progress that Spark printed is stored');
  });

  const kill = (deaths: Map<string, number>, one: StandaloneExecutor | undefined): void => {
    assert.ok(one !== undefined);
    const pid = platform.executorPid(one);
    deaths.set(one.container, Date.now());
    process.kill(pid, 'SIGKILL');
  };

  test('kill -9 of executors, a worker, the meter, the collector and a driver: charged at the truth', async (t) => {
    const plain = { 'spark.tollgate.project': BATCH };
    const [hurt, lone, doomed] = await Promise.all([
      platform.startWaiting('hurt', 2, plain),
      platform.startWaiting('lone', 1, { ...plain, 'spark.eventLog.enabled': 'false' }),
      platform.startWaiting('doomed', 1, { 'spark.tollgate.project': STREAM }),
    ]);
    const deaths = new Map<string, number>();

    await t.test('an executor, while no meter lives', async () => {
      const [first] = await platform.atWork(hurt.application, 2);
      await platform.kill('meter');
      kill(deaths, first);
      await platform.atWork(hurt.application, 2);
      await platform.run('meter');
    });

    const away = await outage(t, deaths, { hurt, lone });
    await t.test('a driver', (own) => killDriver(own, doomed));
    await t.test('a worker with its executors', (own) => killWorker(own, deaths, hurt));

    const rows = await accounts(t, hurt.application);
    const launchSeen = (container: string): boolean => !away.has(container);
    for (const row of rows) checkRow(row, { project: BATCH, launchSeen });
    const alone = await accounts(t, lone.application);
    for (const row of alone) checkRow(row, { project: BATCH, launchSeen, logged: false });
    checkDeaths(t, [...rows, ...alone], deaths);
    await checkDriver(hurt.application);
  });

  /**
   * Nobody answers the agents for a while; in it executors die, and an application ends. What their
   * agents told meanwhile comes by their spool.
   *
   * @returns the executors that were launched meanwhile
   */
  const outage = async (
    t: TestContext,
    deaths: Map<string, number>,
    { hurt, lone }: { readonly hurt: WaitingApplication; readonly lone: WaitingApplication },
  ): Promise<ReadonlySet<string>> => {
    const away = new Set<string>();
    await t.test('the collector: what happens meanwhile comes by the spool', async (own) => {
      const [, one] = await platform.atWork(hurt.application, 2);
      const [other] = await platform.atWork(lone.application, 1);
      const applications = [hurt.application, lone.application];
      const launched = () =>
        applications.flatMap((id) => platform.executors(id)).map(({ container }) => container);
      const before = new Set(launched());
      await platform.kill('collect');
      const killedAt = performance.now();
      kill(deaths, one);
      kill(deaths, other);
      await lone.stop();
      checkRun(await lone.ended);
      const spooled = () => globSync(join(platform.folder, 'spool/*.containers.ndjson*')).length;
      await platform.until(
        async () => spooled(),
        (files) => files === 2,
      );
      for (const container of launched()) if (!before.has(container)) away.add(container);
      await platform.run('collect');
      own.diagnostic(`away for ${Math.round(performance.now() - killedAt)} ms`);
      await platform.until(
        async () => spooled(),
        (files) => files === 0,
      );
      own.diagnostic(`the spool is empty after ${Math.round(performance.now() - killedAt)} ms`);
    });
    return away;
  };

  /** Nobody says an end of what it had; its executors find it gone and end by themselves. */
  const killDriver = async (t: TestContext, doomed: WaitingApplication): Promise<void> => {
    await platform.atWork(doomed.application, 1);
    const pid = doomed.driverPid();
    const killedAt = Date.now();
    process.kill(pid, 'SIGKILL');
    assert.notEqual((await doomed.ended).exitCode, 0);
    const rows = await accounts(t, doomed.application);
    for (const row of rows) checkRow(row, { project: STREAM });
    checkDeaths(t, rows, new Map(rows.map(({ manager }) => [manager.container, killedAt])));
    const driver = `${doomed.application}//driver`;
    const said = (await eventLogs()).find(({ container }) => container === driver);
    const ask = async () => (await chargedContainers(platform.role('serve'), PROJECTS)).get(driver);
    const charged = await platform.until(ask, (found) => found?.coverage === 'inferred').catch(ask);
    const late = (said?.startedAt ?? Number.NaN) + (charged?.ms ?? Number.NaN) - killedAt;
    t.diagnostic(`${driver}: charged until ${late} ms after the kill, ${charged?.coverage}`);
    assert.ok(Math.abs(late) <= DEATH_WITHIN_MS, `${late} ms`);
  };

  /** As when its machine dies: nobody is left there to report. */
  const killWorker = async (
    t: TestContext,
    deaths: Map<string, number>,
    hurt: WaitingApplication,
  ): Promise<void> => {
    const live = await platform.atWork(hurt.application, 2);
    const name = live[0]?.worker ?? '';
    const worker = platform.cluster.workers.find(({ port }) => name.endsWith(`-${port}`));
    assert.ok(worker !== undefined, name);
    const dying = worker.process.kill();
    const victims = live.filter((one) => one.worker === name);
    for (const one of victims) kill(deaths, one);
    await dying;
    t.diagnostic(`${victims.length} executors on ${name}`);
    await platform.atWork(hurt.application, 2);
    await hurt.stop();
    checkRun(await hurt.ended);
  };

  test('nothing of it was refused, and nothing is left with nobody', async () => {
    const serve = platform.role('serve');
    const { counts } = await serve.get<{ counts: object[] }>('/v1/quarantine');
    assert.deepEqual(counts, []);
    const nobody = await chargedContainers(serve, ['unattributed']);
    assert.deepEqual(
      [...nobody].filter(([, { ms }]) => ms !== 0),
      [],
    );
  });
});
