import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert } from '../../shared/contracts/alert.ts';
import { anAlert, ended } from '../support/alert-builders.ts';
import { NotifyScenario, printNotification } from '../support/notify-scenario.ts';

const ALERTS = 5_000;
const times = (s: NotifyScenario) => {
  const now = s.clock.now();
  return { firedAt: now, activeSince: now, evaluatedAt: now };
};

/** As an evaluator saves them: all at once. */
async function saveAll(s: NotifyScenario, alerts: readonly Alert[]): Promise<void> {
  await s.stores.alerts.save({ alerts, transitions: [], health: [] }, undefined);
}

const many = (over: Partial<Alert>): Alert[] =>
  Array.from({ length: ALERTS }, (_one, i) =>
    anAlert(`a${i}`, { ...over, severity: i === 4_999 ? 'critical' : 'warning' }),
  );

async function rounds(s: NotifyScenario, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 5) {
    await s.round();
    await s.clock.advance(5_000);
  }
}

test('5,000 alerts of one group are one message, with the worst first and the others counted', async () => {
  await using s = new NotifyScenario({ config: { route: { receiver: 'ops' } } });
  const alerts = many(times(s));
  await saveAll(s, alerts);
  await rounds(s, 120);
  await saveAll(
    s,
    alerts.map((alert) => ended(alert, s.clock.now())),
  );
  await rounds(s, 400);
  const said = await s.said();
  assert.deepEqual(
    said.map(({ reason, firing, ended: over, more }) => [reason, firing.length, over.length, more]),
    [
      ['first-notification', 50, 0, { firing: 4_950, ended: 0 }],
      ['all-resolved', 0, 50, { firing: 0, ended: 4_950 }],
    ],
  );
  assert.equal(said[0]?.firing[0]?.alert.id, 'a4999');
  assert.deepEqual(await s.stores.notificationLog.groups(), []);
  assert.deepEqual(await s.stores.notificationLog.statuses(), []);
});

test('5,000 groups are one message, and none of their alerts is lost', async () => {
  await using s = new NotifyScenario({
    config: { route: { receiver: 'ops', group_by: ['...'] }, storm: { messages: 3, within: '1m' } },
  });
  const alerts = many(times(s));
  await saveAll(s, alerts);
  await rounds(s, 120);
  const [first, ...others] = await s.said();
  assert.deepEqual(others, []);
  assert.ok(first !== undefined);
  assert.deepEqual(
    [first.reason, first.groupKey, first.more.firing],
    ['first-notification', 'storm/ops', 4_950],
  );
  assert.match(first.text, /^5000 groups in one message, since there would have been more than 3/);
  const told = (await s.stores.notificationLog.groups()).flatMap(({ firing }) =>
    Object.keys(firing),
  );
  assert.deepEqual(told.sort(), alerts.map(({ id }) => id).sort());
});

test('a storm that trickles is a few messages, then one a minute; a calm receiver is told as ever', async () => {
  await using s = new NotifyScenario({
    config: {
      route: {
        ...{ receiver: 'ops', group_by: ['...'], group_wait: '0s' },
        routes: [{ matchers: ['team=b'], receiver: 'mail' }],
      },
      storm: { messages: 3, within: '1m' },
    },
  });
  for (let i = 0; i < 60; i += 1) {
    await s.fire(`a${i}`);
    await s.round();
    await s.clock.advance(5_000);
    if (i === 30) await s.fire('b', { labels: { team: 'b' } });
  }
  await rounds(s, 90);
  const said = await s.said();
  const toOps = said.filter(({ receiver }) => receiver === 'ops');
  assert.ok(toOps.length >= 4 && toOps.length <= 3 + 7 * 3, `${toOps.length} messages in 6 min`);
  const shown = toOps.flatMap(({ firing }) => firing.map(({ alert }) => alert.id));
  assert.equal(new Set(shown).size, 60, 'each is told');
  assert.equal(shown.length, 60, 'once');
  const toMail = said.filter(({ receiver }) => receiver === 'mail').map(printNotification);
  assert.deepEqual(toMail, ['mail first-notification +b']);
});
