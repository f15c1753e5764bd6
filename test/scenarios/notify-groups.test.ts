import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, LEASE_MS, NotifyScenario } from '../support/notify-scenario.ts';

// Named after Alertmanager's acceptance suite (test/with_api_v2/acceptance).

const ROUTE = {
  receiver: 'ops',
  group_by: ['alertname'],
  group_wait: '30s',
  group_interval: '5m',
  repeat_interval: '4h',
};

test('repeat: what goes on firing is told again after the repeat interval, and not before', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1');
  s.want(between('14:00:30', '14:01'), 'ops repeat-interval-elapsed +a1');
  s.want(between('18:00:30', '18:01:30'), 'ops repeat-interval-elapsed +a1');
  await s.play('20:00', 15_000);
});

test('batching: alerts that come while a group waits are told together, later ones after its interval', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.at('10:00:20').fires('a2', { severity: 'critical' });
  s.at('10:01').fires('a3');
  s.at('10:03').fires('a4');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a2 +a1');
  s.want(between('10:05:30', '10:05:41'), 'ops new-alerts-in-group +a2 +a1 +a3 +a4');
  s.at('11:00').fires('a5');
  s.want(between('11:00:30', '11:00:36'), 'ops new-alerts-in-group +a2 +a1 +a3 +a4 +a5');
  await s.play('12:00');
});

test('resolved: an end is told once, after the group interval, with what still fires', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1').at('10:00').fires('a2');
  s.at('10:02').resolves('a1');
  s.at('10:20').goes('a2');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1 +a2');
  s.want(between('10:05:30', '10:05:41'), 'ops new-resolved-alerts +a2 -a1');
  s.want(between('10:20:30', '10:20:41'), 'ops all-resolved -a2');
  const said = await s.play('16:00', 10_000);
  assert.deepEqual(
    said.map(({ status, ended }) => [status, ended.map(({ alert }) => alert.state)]),
    [
      ['firing', []],
      ['firing', ['resolved']],
      ['resolved', ['gone']],
    ],
  );
});

test('resolved before the group has waited: nobody hears of it', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.at('10:00:25').resolves('a1');
  await s.play('10:30');
});

test('what ends and fires again before its end is told makes no message', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.at('10:01').resolves('a1');
  s.at('10:03').fires('a1');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1');
  await s.play('10:30');
});

test('what comes back after its end was told is a first notification again', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.at('10:10').resolves('a1');
  s.at('10:12').fires('a1');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1');
  s.want(between('10:10:30', '10:10:36'), 'ops all-resolved -a1');
  s.want(between('10:12:30', '10:12:36'), 'ops first-notification +a1');
  await s.play('10:30');
});

test('a pending alert is told to nobody, nor one that never fired', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1', { state: 'pending', firedAt: undefined });
  s.at('10:05').fires('a2', { state: 'inactive', firedAt: undefined });
  await s.play('10:30');
});

test('cold start: a notifier that begins with old alerts tells each group at once, and once', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.kill('first');
  s.at('10:00').fires('a1').at('10:00').fires('a2', { rule: 'other' });
  s.at('11:00').does(() => s.startNotifier('second'));
  s.want(between('11:00', '11:00:10'), 'ops first-notification +a1');
  s.want(between('11:00', '11:00:10'), 'ops first-notification +a2');
  await s.play('11:30');
});

test('restart: clocks go on where they were, and nothing is told twice', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.at('10:00:10').does(() => s.stop('first'));
  s.at('10:00:15').does(() => s.startNotifier('second'));
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1');
  s.at('10:02').does(() => s.stop('second'));
  s.at('10:02').resolves('a1');
  s.at('10:04').does(() => s.startNotifier('third'));
  s.want(between('10:05:30', '10:05:41'), 'ops all-resolved -a1');
  await s.play('11:00');
});

test('retry: a round that fails is done again, whether or not it was written', async () => {
  for (const fault of ['before', 'after'] as const) {
    await using s = new NotifyScenario({ config: { route: ROUTE } });
    s.at('10:00').fires('a1');
    s.at('10:00:30').does(() => s.failCommit('first', fault));
    s.at('10:10').resolves('a1');
    s.at('10:10:30').does(() => s.failCommit('first', fault));
    s.want(between('10:00:30', '10:00:41'), 'ops first-notification +a1');
    s.want(between('10:10:30', '10:10:41'), 'ops all-resolved -a1');
    await s.play('10:30');
  }
});

test('two instances: one tells, the other takes over within the lease, nothing is told twice', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.startNotifier('second');
  s.at('10:00').fires('a1');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1');
  s.at('10:08').does(() => s.kill('first'));
  s.at('10:08').resolves('a1').at('10:08').fires('a2');
  s.want(between('10:08:30', '10:08:41'), 'ops new-alerts-in-group +a2 -a1');
  await s.play('10:30');
});

test('two instances: one that slept past its lease writes nothing more', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1');
  s.at('10:10').resolves('a1');
  const taken = async () => {
    // Between its plan and its commit it sleeps, and another one takes over.
    await s.clock.jump(LEASE_MS);
    assert.ok(await s.stores.leases.acquire('alerter/notify', 'other', 60_000));
  };
  s.at('10:10:25').does(() => s.failCommit('first', taken));
  s.want(between('10:11:50', '10:12:05'), 'ops all-resolved -a1');
  await s.play('10:30');
});

test('reload: a group that no route makes any more is told of its ends, the new one of what fires', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1').at('10:00').fires('a2');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1 +a2');
  s.at('11:00').reloads({ route: { ...ROUTE, receiver: 'mail' } });
  s.want(between('11:00', '11:00:10'), 'mail first-notification +a1 +a2');
  s.at('11:30').resolves('a1');
  s.want(between('11:30:30', '11:30:41'), 'ops new-resolved-alerts -a1');
  s.want(between('11:30:30', '11:30:41'), 'mail new-resolved-alerts +a2 -a1');
  s.at('11:50').resolves('a2');
  s.want(between('11:50:30', '11:50:41'), 'ops all-resolved -a2');
  s.want(between('11:50:30', '11:50:41'), 'mail all-resolved -a2');
  await s.play('18:00', 10_000);
  assert.deepEqual(await s.stores.notificationLog.groups(), [], 'nothing is left to tell');
});

test('reload: a change of timers or of other routes tells nobody anything again', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.want(between('10:00:30', '10:00:36'), 'ops first-notification +a1');
  const routes = [{ matchers: ['severity="info"'], receiver: 'mail' }];
  s.at('11:00').reloads({ route: { ...ROUTE, group_wait: '10s', routes } });
  await s.play('12:00');
});

test('an alert that comes and goes is told to end only when it was quiet', async () => {
  await using s = new NotifyScenario({
    config: {
      route: { ...ROUTE, group_wait: '0s', group_interval: '1m' },
      flapping: { times: 3, within: '1h', hold: '15m' },
    },
  });
  for (const minute of ['00', '04', '08', '12', '16', '20']) {
    s.at(`10:${minute}`).fires('a1');
    s.at(`10:${Number(minute) + 2}`.replace(/:(\d)$/, ':0$1')).resolves('a1');
  }
  s.want(between('10:00', '10:00:06'), 'ops first-notification +a1');
  s.want(between('10:02', '10:02:06'), 'ops all-resolved -a1');
  s.want(between('10:04', '10:04:06'), 'ops first-notification +a1');
  s.want(between('10:06', '10:06:06'), 'ops all-resolved -a1');
  s.want(between('10:08', '10:08:06'), 'ops first-notification +a1');
  s.want(between('10:37', '10:37:06'), 'ops all-resolved -a1');
  const said = await s.play('11:30');
  assert.match(said[4]?.text ?? '', /came and went 3 times or more in 60 min/);
});
