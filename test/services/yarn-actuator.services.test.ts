import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { actConfig } from '../../shared/clusters/act-config.ts';
import type { ActuatorOrder } from '../../shared/clusters/cluster-actuator.ts';
import { openActuator, openTargetReader } from '../../shared/clusters/open-cluster.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { installSpark, runSpark, type SparkHome, type SparkRun } from './servers/spark.ts';
import { type RunningYarn, startYarn } from './servers/yarn.ts';
import { until } from './support/until.ts';

const NEVER = new AbortController().signal;
const QUEUE = 'yarn.scheduler.capacity.root';
const CAPPED = 'root.capped';
/** Of 8 GiB: a master of 768 MiB and one executor of 1 GiB, not two. */
const CAPPED_PERCENT = '25';
const EXECUTORS = 2;
/** Longer than the manager needs to grant a container: 1 s as a rule. */
const SETTLES_MS = 6_000;

const SETTINGS = {
  site: {
    'yarn.acl.enable': 'true',
    'yarn.admin.acl': 'root,tollgate',
    'yarn.scheduler.configuration.store.class': 'memory',
    'yarn.resourcemanager.application-timeouts.monitor.interval-ms': '200',
  },
  scheduler: {
    [`${QUEUE}.queues`]: 'default,capped,etl',
    [`${QUEUE}.default.capacity`]: '60',
    [`${QUEUE}.default.maximum-capacity`]: '100',
    [`${QUEUE}.capped.capacity`]: '10',
    [`${QUEUE}.capped.maximum-capacity`]: CAPPED_PERCENT,
    [`${QUEUE}.capped.user-limit-factor`]: '10',
    [`${QUEUE}.default.user-limit-factor`]: '10',
    [`${QUEUE}.etl.capacity`]: '30',
    [`${QUEUE}.etl.queues`]: 'nightly,hourly',
    [`${QUEUE}.etl.nightly.capacity`]: '50',
    [`${QUEUE}.etl.nightly.state`]: 'RUNNING',
    [`${QUEUE}.etl.hourly.capacity`]: '50',
    [`${QUEUE}.acl_administer_queue`]: ' ',
    [`${QUEUE}.default.acl_administer_queue`]: 'queues',
    [`${QUEUE}.capped.acl_administer_queue`]: 'queues',
  },
};

const ACT = {
  may: ['deny-new-work', 'cap-application', 'limit-lifetime', 'kill-application'],
  stopQueues: ['root.default', 'root.etl', 'root.etl.nightly', 'root.gone'],
  capQueue: CAPPED,
};

interface Running {
  readonly application: string;
  readonly startedAt: number;
  readonly ended: Promise<SparkRun>;
}

describe('YARN acted on: a real ResourceManager with real applications', {
  timeout: 600_000,
}, () => {
  const resources = new AsyncDisposableStack();
  let folder = '';
  let spark: SparkHome;
  let yarn: RunningYarn;

  before(async () => {
    folder = resources.use(await temporaryFolder()).path;
    spark = await installSpark();
    yarn = resources.use(await startYarn(spark, SETTINGS));
  });
  after(() => resources.disposeAsync());

  const manager = () =>
    ({
      type: 'yarn',
      urls: [yarn.resourceManagerUrl],
      timeoutMs: 10_000,
      maxAnswerBytes: 10_000_000,
    }) as const;
  const readerAs = (user: string) => openTargetReader({ ...manager(), user }, systemClock);
  const look = async (id: string, user = 'tollgate') => readerAs(user).application(id, NEVER);
  const admission = async (queue: string) => {
    const sight = await readerAs('tollgate').admission?.(queue, NEVER);
    return sight?.outcome;
  };
  const actAs = (user: string, order: Omit<ActuatorOrder, 'id' | 'reason'>) => {
    const actuator = openActuator(manager(), actConfig.parse({ ...ACT, user }), systemClock);
    return actuator.act({ id: 'action-7', reason: 'orders has\nno credits left', ...order }, NEVER);
  };
  const act = (order: Omit<ActuatorOrder, 'id' | 'reason'>) => actAs('tollgate', order);
  const ofQueue = (actuation: 'deny-new-work' | 'allow-new-work', subject: string) =>
    ({ actuation, subject, startedAt: undefined }) as const;

  const cluster = async <T>(path: string): Promise<T> => {
    const address = `${yarn.resourceManagerUrl}/ws/v1/cluster/${path}?user.name=tollgate`;
    return (await (await fetch(address)).json()) as T;
  };
  const conf = async (): Promise<string[]> => {
    type Conf = { property: { name: string; value: string }[] };
    const { property } = await cluster<Conf>('scheduler-conf');
    return property.map(({ name, value }) => `${name}=${value}`).sort();
  };

  const submit = (file: string, args: string[], more: Record<string, string>): Promise<SparkRun> =>
    runSpark(
      { ...spark, env: { ...spark.env, ...yarn.env } },
      {
        app: join(import.meta.dirname, 'spark', file),
        args,
        timeoutMs: 300_000,
        conf: {
          ...yarn.conf,
          'spark.yarn.queue': 'root.default',
          'spark.executor.memory': '512m',
          'spark.executor.instances': `${EXECUTORS}`,
          'spark.sql.shuffle.partitions': '1',
          ...more,
        },
      },
    );

  /** A PySpark application in client mode that does small jobs, once it has its executors. */
  const start = async (name: string, more: Record<string, string> = {}): Promise<Running> => {
    const own = join(folder, name);
    await mkdir(own);
    const ended = submit('waiting.py', [own, `${EXECUTORS}`], more);
    let over = '';
    void ended.then(({ stderr }) => {
      over = stderr.slice(-2_000);
    });
    await until(() => over || existsSync(join(own, 'ready')), Boolean);
    assert.equal(over, '');
    const application = readFileSync(join(own, 'ready'), 'utf8');
    const sight = await look(application);
    assert.ok(sight.outcome === 'seen' && sight.startedAt !== undefined, JSON.stringify(sight));
    assert.deepEqual([sight.state, sight.user, sight.queue], ['running', 'alice', 'root.default']);
    return { application, startedAt: sight.startedAt, ended };
  };

  const live = (application: string) =>
    yarn
      .containers()
      .filter((one) => one.application === application && one.finishedAt === undefined);

  const hasEnded = (application: string) =>
    until(
      () => look(application),
      (sight) => sight.outcome === 'seen' && sight.state === 'ended',
      30_000,
    );

  test('a queue is stopped for new work alone, and becomes exactly what it was', async (t) => {
    const running = await start('before-the-stop');
    const before = await conf();
    assert.equal(await admission('root.default'), 'open');
    for (const [subject, outcome, detail] of [
      ['root.gone', 'refused', /no such queue/],
      ['root.etl', 'unsupported', /has queues below it/],
      ['root.capped', 'unsupported', /not among the queues/],
    ] as const) {
      const said = await act(ofQueue('deny-new-work', subject));
      assert.equal(said.outcome, outcome);
      assert.match(said.detail, detail);
    }
    const noRight = await actAs('queues', ofQueue('deny-new-work', 'root.default'));
    assert.equal(noRight.outcome, 'refused');
    assert.match(noRight.detail, /403: Only admins/);
    assert.deepEqual(await conf(), before);

    const stopped = await act(ofQueue('deny-new-work', 'root.default'));
    assert.equal(stopped.outcome, 'accepted', stopped.detail);
    assert.equal(await admission('root.default'), 'denied');
    assert.equal(await admission('root.etl.nightly'), 'open');
    const again = await act(ofQueue('deny-new-work', 'root.default'));
    assert.deepEqual(again, { outcome: 'accepted', detail: 'root.default lets nobody in already' });
    const late = await submit('waiting.py', [folder, `${EXECUTORS}`], {});
    assert.notEqual(late.exitCode, 0);
    assert.match(late.stderr, /Queue root\.default is STOPPED/);
    const still = await look(running.application);
    assert.equal(still.outcome === 'seen' && still.state, 'running');

    assert.equal((await act(ofQueue('allow-new-work', 'root.default'))).outcome, 'accepted');
    assert.equal(await admission('root.default'), 'open');
    assert.deepEqual(await conf(), before);
    // A state that was written out before is written out again.
    for (const actuation of ['deny-new-work', 'allow-new-work'] as const) {
      const said = await act(ofQueue(actuation, 'root.etl.nightly'));
      assert.equal(said.outcome, 'accepted', said.detail);
      const expected = actuation === 'deny-new-work' ? 'denied' : 'open';
      assert.equal(await admission('root.etl.nightly'), expected);
    }
    assert.deepEqual(await conf(), before);
    t.diagnostic('a running application outlives the stop of its queue');
    await writeFile(join(folder, 'before-the-stop/stop'), '');
    assert.equal((await running.ended).exitCode, 0);
  });

  test('a queue that somebody else stopped is not opened', async () => {
    const entry = (value: string) => ({ entry: [{ key: 'state', value }] });
    const set = async (value: string) => {
      const body = { 'update-queue': [{ 'queue-name': 'root.etl.nightly', params: entry(value) }] };
      const url = `${yarn.resourceManagerUrl}/ws/v1/cluster/scheduler-conf?user.name=root`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) });
      assert.equal(answer.status, 200);
    };
    await set('STOPPED');
    const said = await act(ofQueue('allow-new-work', 'root.etl.nightly'));
    assert.equal(said.outcome, 'refused');
    assert.match(said.detail, /not stopped by Tollgate/);
    assert.equal(await admission('root.etl.nightly'), 'denied');
    await set('RUNNING');
  });

  test('a cap gives nothing new, takes nothing away, and is taken back; then it is killed', async (t) => {
    const acls = { 'spark.acls.enable': 'true', 'spark.ui.view.acls': 'carol' };
    const { application, startedAt, ended } = await start('capped', acls);
    const order = { subject: application, startedAt } as const;

    const hidden = await look(application, 'bob');
    assert.equal(hidden.outcome === 'unknown' && hidden.why.startsWith('no right to view'), true);
    const viewed = await look(application, 'carol');
    assert.equal(viewed.outcome, 'seen');
    const kill = { actuation: 'kill-application', ...order } as const;
    for (const [user, detail] of [
      ['bob', /nothing was asked: no right to view/],
      ['carol', /403: Unauthorized attempt to kill appid application_\d+_\d+ by remote user carol/],
    ] as const) {
      const said = await actAs(user, kill);
      assert.equal(said.outcome, 'refused');
      assert.match(said.detail, detail);
    }
    assert.equal((await act({ ...kill, startedAt: startedAt + 1 })).outcome, 'refused');

    const capped = await actAs('queues', { actuation: 'cap-application', ...order });
    assert.equal(capped.outcome, 'accepted', capped.detail);
    const inCap = await look(application);
    assert.equal(inCap.outcome === 'seen' && inCap.queue, CAPPED);
    assert.equal(live(application).length, 1 + EXECUTORS, 'it keeps what it has');
    const victim = live(application).at(-1)?.container ?? '';
    process.kill(yarn.pidOf(victim), 'SIGKILL');
    await until(
      () => live(application).length,
      (count) => count === EXECUTORS,
    );
    await wait(SETTLES_MS);
    assert.equal(live(application).length, EXECUTORS, 'nothing new is granted');

    const uncap = { actuation: 'uncap-application', ...order, queue: 'root.default' } as const;
    const freed = await actAs('queues', uncap);
    assert.equal(freed.outcome, 'accepted', freed.detail);
    await until(
      () => live(application).length,
      (count) => count === 1 + EXECUTORS,
    );

    const began = performance.now();
    const killed = await act(kill);
    assert.equal(killed.outcome, 'accepted', killed.detail);
    const gone = await hasEnded(application);
    t.diagnostic(`${killed.detail}; ended after ${Math.round(performance.now() - began)} ms`);
    assert.equal(gone.outcome === 'seen' && gone.finalState, 'KILLED');
    type App = { app: { diagnostics: string } };
    const { app } = await cluster<App>(`apps/${application}`);
    assert.match(
      app.diagnostics,
      /by user tollgate .*orders has no credits left \(Tollgate action-7\)/,
    );
    assert.deepEqual(await act(kill), { outcome: 'refused', detail: 'it has ended: KILLED' });
    const { exitCode } = await ended;
    t.diagnostic(`its driver in client mode exited with ${exitCode}`);
    assert.equal((await look('application_1795247888953_0001')).outcome, 'absent');
  });

  test('a lifetime that was limited ends an application with attempts left, without Tollgate', async () => {
    const attempts = {
      'spark.submit.deployMode': 'cluster',
      'spark.submit.pyFiles': join(import.meta.dirname, 'spark/batch.py'),
      'spark.yarn.maxAppAttempts': '2',
    };
    const own = join(folder, 'limited');
    await mkdir(own);
    const ended = submit('waiting.py', [own, '1'], {
      ...attempts,
      'spark.executor.instances': '1',
    });
    await until(() => existsSync(join(own, 'ready')), Boolean);
    const application = readFileSync(join(own, 'ready'), 'utf8');
    const sight = await look(application);
    assert.ok(sight.outcome === 'seen');
    const order = { subject: application, startedAt: sight.startedAt } as const;
    const lifetime = { actuation: 'limit-lifetime', ...order } as const;
    const past = await act({ ...lifetime, until: systemClock.now() - 1_000 });
    assert.equal(past.outcome, 'refused');
    const at = systemClock.now() + 3_000;
    const said = await act({ ...lifetime, until: at });
    assert.equal(said.outcome, 'accepted', said.detail);
    const longer = await act({ ...lifetime, until: at + 60_000 });
    assert.equal(longer.outcome, 'refused');
    assert.match(longer.detail, /its lifetime ends before/);
    const gone = await hasEnded(application);
    assert.ok(systemClock.now() >= at);
    assert.equal(gone.outcome === 'seen' && gone.finalState, 'KILLED');
    type App = { app: { diagnostics: string } };
    const { app } = await cluster<App>(`apps/${application}`);
    assert.match(app.diagnostics, /exceeded the lifetime/);
    assert.notEqual((await ended).exitCode, 0);
  });

  test('the cluster runs, and is not to be ended', async () => {
    const sight = await readerAs('tollgate').cluster(NEVER);
    assert.ok(sight.outcome === 'seen');
    assert.deepEqual([sight.state, sight.protected], ['running', true]);
    const said = await act({ actuation: 'terminate-cluster', subject: '', startedAt: undefined });
    assert.equal(said.outcome, 'unsupported');
  });
});
