import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors/app-error.ts';
import type { AlertStore } from '../../shared/stores/alert-store.ts';
import { HeldLease } from '../../shared/stores/held-lease.ts';
import { openSqliteAlertStores } from '../../shared/stores/sql/open-alert-stores.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { aRule, aSample } from '../../test/support/rule-builders.ts';
import { answered } from '../../test/support/rule-run.ts';
import { EVALUATOR_LEASE, Evaluator, type EvaluatorDeps } from './evaluator.ts';
import type { Rule } from './rules/rule.ts';
import type { RuleSet } from './rules/rule-set.ts';
import type { Reading } from './signals/signal.ts';

function setOf(rules: readonly Rule[], more: Partial<RuleSet> = {}): RuleSet {
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  return { rules: byName, problems: [], kept: new Set(), ...more };
}

/** One store, one clock, and evaluators that come and go. */
class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly stores = openSqliteAlertStores({ file: ':memory:', clock: this.clock });
  rules = setOf([aRule()]);
  /** What a signal answers now. */
  answer: (rule: string, signal: AbortSignal) => Reading | Promise<Reading> = () => answered([]);
  readonly #ends: (() => Promise<void>)[] = [];
  #holders = 0;

  start(deps: Partial<EvaluatorDeps> = {}) {
    const metrics = new Metrics();
    const evaluator = new Evaluator({
      rules: () => this.rules,
      readerOf: (config) => ({
        read: async (_at, _limit, signal) => {
          const found = [...this.rules.rules.values()].find((rule) => rule.signal === config);
          return this.answer(found?.name ?? '', signal);
        },
      }),
      store: this.stores.alerts,
      lease: undefined,
      clock: this.clock,
      logger: silentLogger,
      metrics,
      ...deps,
    });
    const stop = new AbortController();
    const ended = evaluator.run(stop.signal);
    const end = async (): Promise<void> => {
      stop.abort();
      await ended;
    };
    this.#ends.push(end);
    return { evaluator, metrics, end };
  }

  lease(): HeldLease {
    this.#holders += 1;
    return new HeldLease({
      ...EVALUATOR_LEASE,
      store: this.stores.leases,
      holder: `process-${this.#holders}`,
      clock: this.clock,
    });
  }

  /** Time passes second by second, and what it wakes is done. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      await this.clock.advance(1_000);
      await this.settle();
    }
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async state(id = 0): Promise<string | undefined> {
    const alerts = await this.stores.alerts.alerts({ limit: 10 });
    return alerts[id]?.state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end();
    await this.stores[Symbol.asyncDispose]();
  }
}

const high = () => answered([aSample('etl', 90)]);
const low = () => answered([aSample('etl', 10)]);

test('each rule is evaluated at its own rate, and what it found is kept', async () => {
  await using world = new World();
  world.rules = setOf([
    aRule({ alert: 'Often', every: '10s', for: '20s' }),
    aRule({ alert: 'Seldom', every: '1m' }),
  ]);
  const reads: string[] = [];
  world.answer = (rule) => {
    reads.push(rule);
    return rule === 'Often' ? high() : answered([]);
  };
  const { metrics } = world.start();
  await world.settle();
  await world.pass(60);
  const often = reads.filter((rule) => rule === 'Often');
  assert.deepEqual([often.length, reads.length - often.length], [7, 2]);
  const [alert] = await world.stores.alerts.alerts({ limit: 10 });
  assert.deepEqual([alert?.rule, alert?.state, alert?.breaches], ['Often', 'firing', 7]);
  const moves = await world.stores.alerts.transitions(alert?.id ?? '', 10);
  assert.deepEqual(
    moves.map(({ to }) => to),
    ['firing', 'pending'],
  );
  const health = await world.stores.alerts.health();
  assert.deepEqual(health.map(({ rule, outcome }) => `${rule} ${outcome}`).sort(), [
    'Often ok',
    'Seldom ok',
  ]);
  assert.deepEqual(
    [...metrics.values('tollgate_alert_evaluations_total')],
    [['{outcome="ok"}', 9]],
  );
  assert.equal(metrics.values('tollgate_alerts').get('{state="firing"}'), 1);
});

test('a rule that takes long delays no other; its turns are missed and counted, and it times out', async () => {
  await using world = new World();
  world.rules = setOf([
    aRule({ alert: 'Slow', every: '10s' }),
    aRule({ alert: 'Quick', every: '10s' }),
  ]);
  let quick = 0;
  world.answer = (rule, signal) => {
    if (rule === 'Quick') {
      quick += 1;
      return answered([]);
    }
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('ended'))),
    );
  };
  const { metrics, evaluator } = world.start({
    parallel: 1,
    slowAfterMs: 1_000,
    timeoutMs: 25_000,
  });
  await world.settle();
  await world.pass(30);
  assert.equal(quick, 4);
  assert.equal(metrics.values('tollgate_alert_evaluations_missed_total').get(''), 1);
  assert.equal(metrics.values('tollgate_alert_evaluations_total').get('{outcome="error"}'), 1);
  const slow = (await world.stores.alerts.health()).find(({ rule }) => rule === 'Slow');
  assert.deepEqual([slow?.outcome, slow?.why], ['error', 'no answer within 25 s']);
  assert.ok((evaluator.lagMs() ?? -1) >= 0);
});

test('a reader that does not hear its end is not asked again before it is done', async () => {
  await using world = new World();
  world.rules = setOf([aRule({ every: '1s' })]);
  let reads = 0;
  let answer = (_: Reading): void => undefined;
  world.answer = () => {
    reads += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  world.start({ timeoutMs: 2_000 });
  await world.settle();
  await world.pass(10);
  assert.equal(reads, 1);
  answer(answered([]));
  await world.pass(2);
  assert.equal(reads, 2);
  answer(answered([]));
});

test('a restart goes on with `for` and with episodes', async () => {
  await using world = new World();
  world.rules = setOf([aRule({ every: '10s', for: '30s' })]);
  world.answer = high;
  const first = world.start();
  await world.settle();
  await world.pass(15);
  await first.end();
  await world.pass(5);
  world.start();
  await world.settle();
  await world.pass(10);
  assert.equal(await world.state(), 'firing');
  world.answer = low;
  await world.pass(10);
  assert.equal(await world.state(), 'resolved');
  world.answer = high;
  await world.pass(50);
  const [alert] = await world.stores.alerts.alerts({ limit: 10 });
  assert.deepEqual([alert?.state, alert?.episode], ['firing', 2]);
});

test('one process evaluates; another takes over within 30 s, and writes of the first are refused', async () => {
  await using world = new World();
  world.rules = setOf([aRule({ every: '10s', for: '40s' })]);
  const reads = [0, 0];
  const reader = (i: number) => ({
    readerOf: () => ({
      read: async () => {
        reads[i] = (reads[i] ?? 0) + 1;
        return high();
      },
    }),
    lease: world.lease(),
  });
  // The first one's clock stands still later: as a process that is asleep.
  const asleep = new FakeClock(world.clock.now());
  const one = reader(0);
  const first = world.start({ ...one, clock: asleep });
  await world.settle();
  const second = world.start(reader(1));
  await world.settle();
  assert.deepEqual(reads, [1, 0]);
  assert.deepEqual(
    [first, second].map(({ metrics }) => [
      ...metrics.values('tollgate_alert_evaluator_active').values(),
    ]),
    [[1], []],
  );
  await world.pass(30);
  assert.ok((reads[1] ?? 0) >= 1, 'taken over within 30 s');
  await world.pass(20);
  const [alert] = await world.stores.alerts.alerts({ limit: 10 });
  assert.deepEqual([alert?.state, alert?.episode], ['firing', 1]);
  const since = alert?.activeSince;
  await asleep.jump(10_000);
  await world.settle();
  await asleep.advance(1_000);
  await world.settle();
  assert.equal((await world.stores.alerts.alerts({ limit: 10 }))[0]?.activeSince, since);
  assert.deepEqual([...first.metrics.values('tollgate_alert_evaluator_active').values()], [0]);
  assert.equal(first.evaluator.lagMs(), undefined);
});

test('what could not be saved did not happen', async () => {
  await using world = new World();
  world.rules = setOf([aRule({ every: '10s' })]);
  world.answer = high;
  let away = true;
  const { alerts } = world.stores;
  const store: AlertStore = new Proxy(alerts, {
    get: (target, name: keyof AlertStore) => {
      if (name === 'save' && away) {
        return () => Promise.reject(new AppError('STORE_UNAVAILABLE', 'it is away'));
      }
      return target[name].bind(target);
    },
  });
  const { metrics } = world.start({ store });
  await world.settle();
  await world.pass(10);
  assert.equal(metrics.values('tollgate_alert_evaluations_total').get('{outcome="unsaved"}'), 2);
  assert.equal(await world.state(), undefined);
  away = false;
  await world.pass(10);
  const [alert] = await alerts.alerts({ limit: 10 });
  assert.deepEqual([alert?.state, alert?.breaches], ['firing', 1]);
});

test('alerts of a rule that was taken away are gone, but not while a file cannot be read', async () => {
  await using world = new World();
  world.answer = high;
  world.start();
  await world.settle();
  const problem = { file: 'a.yaml', line: 1, column: 1, rule: undefined, message: 'no YAML' };
  world.rules = setOf([], { problems: [problem] });
  await world.pass(3);
  assert.equal(await world.state(), 'firing');
  world.rules = setOf([]);
  await world.pass(2);
  assert.equal(await world.state(), 'gone');
});

test('a rule that is refused is told of where the others are', async () => {
  await using world = new World();
  const problem = { file: 'a.yaml', line: 7, column: 1, rule: 'Bad', message: 'when: is missing' };
  world.rules = setOf([aRule()], { problems: [problem] });
  world.start();
  await world.settle();
  const health = await world.stores.alerts.health();
  const bad = health.find(({ rule }) => rule === 'Bad');
  assert.deepEqual([bad?.outcome, bad?.why], ['error', 'a.yaml:7 when: is missing']);
});

test('a reader that throws, or cannot be made, is a failed reading without its inner words', async () => {
  await using world = new World();
  world.rules = setOf([aRule({ every: '10s' })]);
  world.start({
    readerOf: () => {
      throw new Error('password=hunter2');
    },
  });
  await world.settle();
  const [first] = await world.stores.alerts.health();
  assert.equal(first?.outcome, 'error');
  assert.doesNotMatch(first?.why ?? '', /hunter2/);
});

test('what is read when the process ends is not kept', async () => {
  await using world = new World();
  world.answer = (_, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(high())));
  const { end } = world.start();
  await world.settle();
  await end();
  assert.equal(await world.state(), undefined);
  assert.deepEqual(await world.stores.alerts.health(), []);
});

test('what a process read before another took over is refused', async () => {
  await using world = new World();
  let answer = (_: Reading): void => undefined;
  const late = new Promise<Reading>((resolve) => {
    answer = resolve;
  });
  // Its clock stands still, as that of a process that is asleep.
  const clock = new FakeClock(world.clock.now());
  const lease = world.lease();
  const first = world.start({ clock, lease, readerOf: () => ({ read: () => late }) });
  await world.settle();
  world.answer = () => answered([]);
  world.start({ lease: world.lease() });
  await world.settle();
  await world.pass(30);
  answer(high());
  await world.settle();
  assert.equal(await world.state(), undefined);
  assert.deepEqual([...first.metrics.values('tollgate_alert_evaluator_active').values()], [0]);
});
