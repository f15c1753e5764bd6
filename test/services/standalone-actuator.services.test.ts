import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { actConfig } from '../../shared/clusters/act-config.ts';
import type { ApplicationSight } from '../../shared/clusters/cluster-actuator.ts';
import { openActuator, openTargetReader } from '../../shared/clusters/open-cluster.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from './servers/spark.ts';
import { type RunningStandalone, startStandalone } from './servers/spark-standalone.ts';
import { javaProcess } from './spark/java-process.ts';
import { until } from './support/until.ts';

const NEVER = new AbortController().signal;
const APP_FILE = join(import.meta.dirname, 'spark/outliving.py');
/** A supervised driver is started anew within seconds; after so long none comes. */
const NONE_COMES_MS = 8_000;

type Seen = Extract<ApplicationSight, { outcome: 'seen' }>;

describe('Spark standalone acted on: a real master with real applications', {
  timeout: 600_000,
}, () => {
  const resources = new AsyncDisposableStack();
  let folder = '';
  let spark: SparkHome;
  let cluster: RunningStandalone;

  before(async () => {
    folder = resources.use(await temporaryFolder()).path;
    spark = await installSpark();
    const size = { workers: 1, cores: 4, memory: '4g' };
    cluster = resources.use(await startStandalone(spark, folder, size));
  });
  after(() => resources.disposeAsync());

  const manager = ({ url }: RunningStandalone) =>
    ({ type: 'standalone', urls: [url], timeoutMs: 10_000, maxAnswerBytes: 10_000_000 }) as const;
  const look = (id: string, at = cluster) =>
    openTargetReader(manager(at), systemClock).application(id, NEVER);
  const seen = async (id: string, at = cluster): Promise<Seen> => {
    const sight = await look(id, at);
    assert.ok(sight.outcome === 'seen', JSON.stringify(sight));
    return sight;
  };
  const kill = (
    subject: string,
    startedAt: number | undefined,
    { at = cluster, submissionUrls = [] as string[] } = {},
  ) => {
    const act = actConfig.parse({ may: ['kill-application'], submissionUrls });
    const actuator = openActuator(manager(at), act, systemClock);
    const order = { id: 'action-7', reason: 'no credits left', subject, startedAt };
    return actuator.act({ actuation: 'kill-application', ...order }, NEVER);
  };
  const ended = (id: string) =>
    until(
      () => look(id),
      (sight) => sight.outcome === 'seen' && sight.state === 'ended',
      30_000,
    );
  /** Applications of a run that have been at work, oldest first. */
  const atWork = (run: string): string[] =>
    globSync(join(folder, run, 'ready-*'))
      .filter((file) => !file.endsWith('.part'))
      .map((file) => readFileSync(file, 'utf8'))
      .sort();

  /** In client mode. */
  const submit = async (run: string, at = cluster): Promise<{ ended: Promise<SparkRun> }> => {
    await mkdir(join(folder, run));
    const conf = {
      'spark.master': at.master,
      'spark.app.name': run,
      'spark.cores.max': '1',
      'spark.executor.memory': '512m',
    };
    const application = { app: APP_FILE, args: [join(folder, run)], conf, timeoutMs: 300_000 };
    return { ended: runSpark(spark, application) };
  };

  /** In cluster mode, which spark-submit has for classes only: Spark's own runner of Python is one. */
  const submitDriver = async (run: string, supervise: boolean): Promise<string> => {
    await mkdir(join(folder, run));
    const [jar = ''] = globSync(join(spark.home, 'jars/spark-core_*.jar'));
    const body = {
      action: 'CreateSubmissionRequest',
      clientSparkVersion: spark.version,
      appResource: `file:${jar}`,
      mainClass: 'org.apache.spark.deploy.PythonRunner',
      appArgs: [APP_FILE, '', join(folder, run), 'leave'],
      environmentVariables: { ...spark.env, SPARK_ENV_LOADED: '1' },
      sparkProperties: {
        'spark.app.name': run,
        'spark.master': cluster.master,
        'spark.submit.deployMode': 'cluster',
        'spark.driver.supervise': `${supervise}`,
        'spark.driver.memory': '600m',
        'spark.executor.memory': '512m',
        'spark.cores.max': '1',
        'spark.driver.host': '127.0.0.1',
        'spark.ui.enabled': 'false',
      },
    };
    const headers = { 'content-type': 'application/json' };
    const url = `${cluster.submissionUrl}/v1/submissions/create`;
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    const said = (await answer.json()) as { success: boolean; submissionId: string };
    assert.equal(said.success, true, JSON.stringify(said));
    return said.submissionId;
  };

  const timed = async (t: TestContext, what: string, id: string): Promise<Seen> => {
    const began = performance.now();
    const sight = await ended(id);
    assert.ok(sight.outcome === 'seen');
    t.diagnostic(`${what}: ${sight.finalState} after ${Math.round(performance.now() - began)} ms`);
    return sight;
  };

  test('an application in client mode is killed, and its driver outlives it', async (t) => {
    const { ended: running } = await submit('client');
    const [application = ''] = await until(
      () => atWork('client'),
      (all) => all.length === 1,
    );
    const { startedAt, state, name } = await seen(application);
    assert.deepEqual([state, name], ['running', 'client']);
    const other = await kill(application, (startedAt ?? 0) + 1);
    assert.deepEqual([other.outcome, (await seen(application)).state], ['refused', 'running']);
    const said = await kill(application, startedAt);
    assert.deepEqual(said, { outcome: 'accepted', detail: '302' });
    const sight = await timed(t, application, application);
    assert.deepEqual([sight.finalState, sight.startedAt], ['KILLED', startedAt]);
    await until(() => existsSync(join(folder, 'client', `failed-${application}`)), Boolean);
    let isOver = false;
    void running.then(() => {
      isOver = true;
    });
    await wait(1_000);
    assert.equal(isOver, false, 'the driver lives on');
    const again = await kill(application, startedAt);
    assert.deepEqual(again, { outcome: 'refused', detail: 'it has ended: KILLED' });
    await writeFile(join(folder, 'client/stop'), '');
    assert.equal((await running).exitCode, 0);
    assert.equal((await look('app-20200101000000-0000')).outcome, 'absent');
  });

  for (const [way, hasServer] of [
    ['the submission server', true],
    ['the page of the master', false],
  ] as const) {
    test(`a supervised driver starts its application anew until it is killed itself, by ${way}`, async (t) => {
      const run = `supervised-${hasServer}`;
      const driver = await submitDriver(run, true);
      const [first = ''] = await until(
        () => atWork(run),
        (all) => all.length === 1,
      );
      const { startedAt, state, name } = await seen(driver);
      assert.deepEqual([state, name], ['running', 'org.apache.spark.deploy.PythonRunner']);
      const said = await kill(first, (await seen(first)).startedAt);
      assert.equal(said.outcome, 'accepted');
      assert.match(said.detail, /drivers \(1\), and a supervised one starts its application anew/);
      assert.equal((await timed(t, first, first)).finalState, 'KILLED');
      const [, second = ''] = await until(
        () => atWork(run),
        (all) => all.length === 2,
      );
      assert.notEqual(second, first);
      assert.equal((await seen(second)).state, 'running');

      const submissionUrls = hasServer ? [cluster.submissionUrl] : [];
      const killed = await kill(driver, startedAt, { submissionUrls });
      assert.equal(killed.outcome, 'accepted', killed.detail);
      t.diagnostic(killed.detail);
      assert.equal((await timed(t, driver, driver)).finalState, 'KILLED');
      // Seen: FINISHED, though it was killed.
      const last = await timed(t, second, second);
      assert.match(last.finalState, /^(FINISHED|KILLED)$/);
      await wait(NONE_COMES_MS);
      assert.deepEqual(atWork(run), [first, second]);
      assert.equal((await kill(driver, startedAt, { submissionUrls })).outcome, 'refused');
    });
  }

  test('a master whose page kills nothing refuses, and the application goes on', async () => {
    const own = join(folder, 'no-kill');
    await mkdir(own);
    const masterOptions = ['-Dspark.ui.killEnabled=false'];
    const size = { workers: 0, cores: 1, memory: '1g', masterOptions };
    await using other = await startStandalone(spark, own, size);
    const { ended: running } = await submit('unkilled', other);
    const listed = async () => {
      const answer = await fetch(`${other.url}/json/`);
      return ((await answer.json()) as { activeapps: { id: string }[] }).activeapps;
    };
    const [application] = await until(listed, (all) => all.length === 1);
    const { id = '' } = application ?? {};
    const { startedAt, state } = await seen(id, other);
    assert.equal(state, 'waiting');
    const said = await kill(id, startedAt, { at: other });
    assert.equal(said.outcome, 'refused');
    assert.match(said.detail, /^405/);
    assert.equal((await seen(id, other)).state, 'waiting');
    await other[Symbol.asyncDispose]();
    assert.equal((await look(id, other)).outcome, 'unknown');
    // It waits for a master for ever.
    process.kill(javaProcess([APP_FILE, join(folder, 'unkilled')]), 'SIGKILL');
    assert.notEqual((await running).exitCode, 0);
  });
});
