import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldLease } from '../../../shared/stores/held-lease.ts';
import { openSqliteAlertStores } from '../../../shared/stores/sql/open-alert-stores.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { DAY_MS } from '../../../shared/values/instant.ts';
import { aNotification, anAlert, ended } from '../../../test/support/alert-builders.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import {
  NotifyScenario,
  policyOf,
  printNotification,
} from '../../../test/support/notify-scenario.ts';
import { Notifier } from './notifier.ts';

const ROUTE = { receiver: 'ops', group_wait: '5s' };

test('a message says of each firing occurrence what will be done, and by when', async () => {
  const consequence = {
    action: 'act-1',
    does: 'stops the application',
    at: 5,
    prevention: 'ask ops',
    extendUrl: undefined,
  };
  const asked: string[] = [];
  await using s = new NotifyScenario({
    config: { route: ROUTE },
    consequencesOf: async (occurrence) => {
      asked.push(occurrence);
      return occurrence === 'a1#1' ? [consequence] : [];
    },
  });
  s.at('10:00').fires('a1').at('10:00').fires('a2');
  s.want([0, 9e15], 'ops first-notification +a1 +a2');
  const [said] = await s.play('10:01');
  assert.deepEqual(
    said?.firing.map(({ consequences }) => consequences),
    [[consequence], []],
  );
  assert.deepEqual(asked, ['a1#1', 'a2#1'], 'nothing is asked in a quiet round');
});

test('it runs until it is told to stop, through a store that fails for a while', async () => {
  const clock = new FakeClock();
  await using stores = openSqliteAlertStores({ file: ':memory:', clock });
  let failing = false;
  const metrics = new Metrics();
  const silences = {
    forget: (before: number) => stores.silences.forget(before),
    silences: async (since: number) => {
      if (failing) throw new Error('a bug');
      return stores.silences.silences(since);
    },
  };
  const holder = { name: 'alerter/notify', holder: 'a', ttlMs: 20_000 };
  const notifier = new Notifier({
    stores: { ...stores, silences } as typeof stores,
    lease: new HeldLease({ store: stores.leases, clock, ...holder }),
    consequencesOf: async () => [],
    policy: policyOf({ route: ROUTE }),
    ...{ clock, metrics, logger: silentLogger },
  });
  const stop = new AbortController();
  const running = notifier.run(stop.signal);
  /** Its rounds are done when it sleeps again. */
  const asleep = async (): Promise<void> => {
    while (clock.sleepers === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds * 4; i += 1) {
      await asleep();
      await clock.advance(250);
    }
    await asleep();
  };
  const firedAt = clock.now();
  const alert = anAlert('a1', { firedAt, activeSince: firedAt });
  await stores.alerts.save({ alerts: [alert], transitions: [], health: [] }, undefined);
  failing = true;
  await pass(8);
  assert.deepEqual(await stores.outbox.due(clock.now(), 9), []);
  failing = false;
  await pass(2);
  const due = await stores.outbox.due(clock.now(), 9);
  assert.deepEqual(
    due.map(({ notification }) => printNotification(notification)),
    ['ops first-notification +a1'],
  );
  const rounds = metrics.values('tollgate_notify_rounds_total');
  assert.ok((rounds.get('{outcome="failed"}') ?? 0) >= 7);
  assert.equal(rounds.get('{outcome="told"}'), 1);
  assert.equal(metrics.values('tollgate_notifier_active').get(''), 1);
  stop.abort();
  await running;
});

test('what is over is kept for 90 days, and not longer', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  const long = s.clock.now() - 91 * DAY_MS;
  const recent = s.clock.now() - 89 * DAY_MS;
  const old = ended(anAlert('old', { firedAt: long }), long);
  const kept = ended(anAlert('kept', { firedAt: recent }), recent);
  await s.save(old, 'firing');
  await s.save(kept, 'firing');
  await s.stores.outbox.enqueue([aNotification('n1', { at: long })]);
  await s.stores.outbox.record('n1', { deliveries: [], retryAt: undefined, error: '' });
  await s.round();
  assert.equal(await s.stores.alerts.alert('old'), undefined);
  assert.ok((await s.stores.alerts.alert('kept')) !== undefined);
  assert.equal(await s.stores.outbox.deliveries('n1'), undefined);
});
