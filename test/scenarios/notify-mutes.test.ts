import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { between, instantOf, NotifyScenario } from '../support/notify-scenario.ts';

const ROUTE = {
  receiver: 'ops',
  group_by: ['alertname'],
  group_wait: '30s',
  group_interval: '5m',
  repeat_interval: '4h',
};
const ML = 'ml' as ProjectId;
const NODE_DOWN = { rule: 'node-down', severity: 'critical' as const };
const INHIBIT = [
  {
    source_matchers: ['alertname=node-down'],
    target_matchers: ['severity=~"warning|info"'],
    equal: ['cluster'],
  },
];

test('silencing: a silenced alert goes on and is told to nobody; its status says by what', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').silenced('s1', '12:00');
  s.at('10:05').fires('a1');
  s.at('10:05').fires('b1', { project: ML });
  s.want(between('10:05:30', '10:05:41'), 'ops first-notification +b1');
  s.at('10:20').does(async () => {
    assert.deepEqual(await s.stores.notificationLog.status('a1'), {
      alert: 'a1',
      state: 'suppressed',
      silencedBy: ['s1'],
      inhibitedBy: [],
      mutedBy: [],
      receivers: ['ops'],
    });
    assert.equal((await s.stores.notificationLog.status('b1'))?.state, 'active');
    assert.equal((await s.stores.alerts.alert('a1'))?.state, 'firing', 'its state goes on');
    assert.equal(s.metrics.values('tollgate_alerts_suppressed').get('{by="silence"}'), 1);
  });
  s.at('10:30').resolves('a1');
  await s.play('11:40');
  assert.equal(await s.stores.notificationLog.status('a1'), undefined);
});

test('a silence of a project mutes no other project, whatever its matchers say', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  const matchers = [{ name: 'alertname', value: 'cluster-idle', isRegex: false, isEqual: true }];
  s.at('10:00').silenced('s1', '12:00', { matchers });
  s.at('10:05').fires('a1').at('10:05').fires('b1', { project: ML });
  s.at('10:05').fires('c1', { project: undefined, labels: { project: 'etl' } });
  s.want(between('10:05:30', '10:05:41'), 'ops first-notification +b1 +c1');
  await s.play('11:30');
});

test('a silence of the platform mutes all projects', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  const matchers = [{ name: 'alertname', value: 'cluster-.*', isRegex: true, isEqual: true }];
  s.at('10:00').silenced('s1', '12:00', { matchers, project: undefined });
  s.at('10:05').fires('a1').at('10:05').fires('b1', { project: ML });
  await s.play('11:30');
});

test('silence ends soon: those that it mutes are told before, or who asked to be, once', async () => {
  for (const [receiver, told] of [
    [undefined, 'ops'],
    ['mail', 'mail'],
    ['removed', 'ops'],
  ] as const) {
    await using s = new NotifyScenario({ config: { route: ROUTE } });
    s.at('10:00').silenced('s1', '12:00', { receiver });
    s.at('10:00').silenced('s2', '12:00', { project: ML });
    s.at('10:30').fires('a1').at('11:00').resolves('a1').at('11:10').fires('a1');
    s.want(between('11:45', '11:45:06'), `${told} silence-ends-soon`);
    s.at('11:50').resolves('a1');
    const [notice] = await s.play('11:59');
    assert.match(
      notice?.text ?? '',
      /^The silence of ada \(maintenance\) ends at 2026-11-20T12:00:00.000Z\. .* cluster-idle \(1\)\./,
    );
    assert.equal(notice?.status, 'firing');
  }
});

test('silence ended: what still fires is told with the reason, also what was told before it', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.want(between('10:00:30', '10:00:41'), 'ops first-notification +a1');
  s.at('10:10').silenced('s1', '11:00', { comment: 'restart of the broker' });
  s.at('10:20').fires('a2');
  s.at('10:30').fires('b1', { rule: 'other' });
  s.want(between('10:45', '10:51'), 'ops silence-ends-soon');
  s.want(between('11:00', '11:00:06'), 'ops silence-ended +a1 +a2');
  s.want(between('11:00', '11:00:06'), 'ops silence-ended +b1');
  const said = await s.play('13:00', 10_000);
  const text = said.find(({ reason }) => reason === 'silence-ended')?.text;
  assert.equal(
    text,
    'The silence of ada (restart of the broker) ended at 2026-11-20T11:00:00.000Z.',
  );
});

test('silence delete: ended early, it mutes no more, and the message says by whom', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').silenced('s1', '18:00');
  s.at('10:05').fires('a1');
  s.at('10:30').silenceEnds('s1');
  s.want(between('10:30', '10:30:06'), 'ops silence-ended +a1');
  const [said] = await s.play('11:00');
  assert.match(said?.text ?? '', /ended at 2026-11-20T10:30:00.000Z \(ended by bob\)\.$/);
});

test('the end of what was told is held while it is silenced, and told when the silence is over', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE } });
  s.at('10:00').fires('a1');
  s.want(between('10:00:30', '10:00:41'), 'ops first-notification +a1');
  s.at('10:10').silenced('s1', '11:00');
  s.at('10:20').resolves('a1');
  s.want(between('11:00', '11:00:06'), 'ops all-resolved -a1');
  await s.play('12:00');
});

test('inhibiting: what a worse alert explains is told to nobody while that fires', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE, inhibit_rules: INHIBIT } });
  s.at('10:00').fires('n1', NODE_DOWN);
  s.at('10:01').fires('a1');
  s.at('10:01').fires('b1', { labels: { cluster: 'yarn-2' } });
  s.want(between('10:00:30', '10:00:41'), 'ops first-notification +n1');
  s.want(between('10:01:30', '10:01:41'), 'ops first-notification +b1');
  s.at('10:10').does(async () => {
    const status = await s.stores.notificationLog.status('a1');
    assert.deepEqual([status?.state, status?.inhibitedBy], ['suppressed', ['n1']]);
    assert.equal(s.metrics.values('tollgate_alerts_suppressed').get('{by="inhibition"}'), 1);
  });
  s.at('10:20').resolves('n1');
  s.want(between('10:20:30', '10:20:41'), 'ops all-resolved -n1');
  s.want(between('10:20', '10:20:06'), 'ops new-alerts-in-group +a1 +b1');
  await s.play('11:00');
});

test('inhibiting: a source that is gone explains nothing any more; a silenced one still does', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE, inhibit_rules: INHIBIT } });
  const matchers = [{ name: 'alertname', value: 'node-down', isRegex: false, isEqual: true }];
  s.at('10:00').silenced('s1', '18:00', { matchers });
  s.at('10:00').fires('n1', NODE_DOWN).at('10:01').fires('a1');
  s.at('10:30').goes('n1');
  s.want(between('10:30', '10:30:06'), 'ops first-notification +a1');
  await s.play('11:00');
});

test('warm-up: after a start what may be inhibited waits until every rule was looked at', async () => {
  await using s = new NotifyScenario({ config: { route: ROUTE, inhibit_rules: INHIBIT } });
  s.kill('first');
  s.at('10:00').fires('a1').at('10:00').fires('c1', { severity: 'critical' });
  s.at('11:00').does(() => s.startNotifier('second'));
  s.want(between('11:00', '11:00:06'), 'ops first-notification +c1');
  s.at('11:00:20').fires('n1', NODE_DOWN);
  s.want(between('11:00:50', '11:01:01'), 'ops first-notification +n1');
  await s.play('11:20');
});

test('warm-up: it ends by itself when rules stay silent', async () => {
  await using s = new NotifyScenario({
    config: { route: ROUTE, inhibit_rules: INHIBIT, warm_up: '45s' },
    warm: false,
  });
  s.kill('first');
  s.at('10:00').fires('a1');
  s.at('11:00').does(() => s.startNotifier('second'));
  s.want(between('11:00:45', '11:00:51'), 'ops first-notification +a1');
  await s.play('11:20');
});

test('mute times: a route that may not speak tells everything when it may again', async () => {
  await using s = new NotifyScenario({
    start: '15:30',
    config: {
      route: {
        ...ROUTE,
        routes: [
          { matchers: ['severity="critical"'], receiver: 'ops' },
          { matchers: ['alertname!=""'], receiver: 'mail', active_time_intervals: ['office'] },
        ],
      },
      time_intervals: [
        {
          name: 'office',
          time_intervals: [
            {
              times: [{ start_time: '09:00', end_time: '17:00' }],
              weekdays: ['monday:friday'],
              location: 'Europe/Vienna',
            },
          ],
        },
      ],
    },
  });
  s.at('15:40').fires('a1');
  s.want(between('15:40:30', '15:40:50'), 'mail first-notification +a1');
  s.at('16:10').fires('a2').at('16:10').fires('c1', { severity: 'critical' });
  s.want(between('16:10:30', '16:10:50'), 'ops first-notification +c1');
  s.at('16:20').resolves('a1').at('16:20').resolves('c1');
  s.want(between('16:20:30', '16:20:50'), 'ops all-resolved -c1');
  s.at('16:30').does(async () => {
    const status = await s.stores.notificationLog.status('a2');
    assert.deepEqual([status?.state, status?.mutedBy], ['suppressed', ['office']]);
  });
  // Friday evening in Vienna: on Monday at 09:00 there, 08:00 UTC.
  s.want(between('2026-11-23 08:00', '2026-11-23 08:01'), 'mail new-alerts-in-group +a2 -a1');
  s.at('17:00').does(() => s.clock.jump(instantOf('2026-11-23 07:59') - s.clock.now()));
  await s.play('2026-11-23 08:05');
});
