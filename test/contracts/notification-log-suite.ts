import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import type { AlertStatus, NotifiedGroup } from '../../shared/stores/notification-log.ts';
import type { AlertStores } from '../../shared/stores/sql/open-alert-stores.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { aNotification } from '../support/alert-builders.ts';
import { T0 } from '../support/fact-builders.ts';

const LONG_MS = 600_000;
const NOTHING = { notifications: [], groups: [], closed: [], statuses: [], cleared: [] };

const aGroup = (groupKey: string, over: Partial<NotifiedGroup> = {}): NotifiedGroup => ({
  groupKey,
  receiver: 'ops',
  groupLabels: { alertname: '\u0000"x' },
  at: T0,
  firing: { a1: 1, a2: 3 },
  folded: false,
  ...over,
});

const aStatus = (alert: string, over: Partial<AlertStatus> = {}): AlertStatus => ({
  alert,
  state: 'active',
  silencedBy: [],
  inhibitedBy: [],
  mutedBy: [],
  receivers: ['ops'],
  ...over,
});

/** What every notification log does, whatever it is stored in. */
export function notificationLogSuite(engine: string, open: () => Promise<AlertStores>): void {
  test(`${engine}: what was told and the message that tells it are there together`, async () => {
    await using stores = await open();
    const { notificationLog, outbox } = stores;
    await notificationLog.commit(
      {
        ...NOTHING,
        notifications: [aNotification('n1')],
        groups: [aGroup('g1'), aGroup('g2')],
        statuses: [aStatus('a1'), aStatus('a2', { state: 'suppressed', silencedBy: ['s1'] })],
      },
      undefined,
    );
    assert.equal((await outbox.due(T0, 9)).length, 1);
    assert.deepEqual(await notificationLog.groups(), [aGroup('g1'), aGroup('g2')]);
    await notificationLog.commit(
      {
        ...NOTHING,
        groups: [aGroup('g1', { at: T0 + 9, firing: {} })],
        closed: ['g2', 'none'],
        statuses: [aStatus('a2')],
        cleared: ['a1'],
      },
      undefined,
    );
    assert.deepEqual(await notificationLog.groups(), [aGroup('g1', { at: T0 + 9, firing: {} })]);
    assert.deepEqual(await notificationLog.statuses(), [aStatus('a2')]);
    assert.deepEqual(await notificationLog.status('a2'), aStatus('a2'));
    assert.equal(await notificationLog.status('a1'), undefined);
  });

  test(`${engine}: a round of many groups and alerts is one`, async () => {
    await using stores = await open();
    const { notificationLog } = stores;
    const many = Array.from({ length: 501 }, (_one, i) => `x${i}`);
    const round = {
      ...NOTHING,
      groups: many.map((key) => aGroup(key)),
      statuses: many.map((alert) => aStatus(alert)),
    };
    await notificationLog.commit(round, undefined);
    assert.equal((await notificationLog.groups()).length, 501);
    await notificationLog.commit({ ...NOTHING, closed: many, cleared: many }, undefined);
    assert.equal((await notificationLog.groups()).length, 0);
    assert.equal((await notificationLog.statuses()).length, 0);
  });

  test(`${engine}: who has lost the lease tells nothing and logs nothing`, async () => {
    await using stores = await open();
    const { notificationLog, leases, outbox } = stores;
    const old = must(await leases.acquire('alerter/notify', 'a', LONG_MS), 'lease');
    await leases.release(old);
    const held = must(await leases.acquire('alerter/notify', 'b', LONG_MS), 'lease');
    const round = {
      ...NOTHING,
      notifications: [aNotification('n1')],
      groups: [aGroup('g1')],
      statuses: [aStatus('a1')],
    };
    await assert.rejects(notificationLog.commit(round, old), { code: 'FENCED' });
    assert.deepEqual(await outbox.due(T0, 9), []);
    assert.deepEqual(await notificationLog.groups(), []);
    assert.deepEqual(await notificationLog.statuses(), []);
    await notificationLog.commit(round, held);
    assert.equal((await outbox.due(T0, 9)).length, 1);
  });

  test(`${engine}: messages are found again, newest first, by project and receiver`, async () => {
    await using stores = await open();
    const { notificationLog, outbox } = stores;
    const ml = aNotification('n2', { at: T0 + 1, project: 'ml' as ProjectId, receiver: 'mail' });
    await outbox.enqueue([aNotification('n1'), ml, aNotification('n3', { project: undefined })]);
    const idsFor = async (filter: object): Promise<string[]> =>
      (await notificationLog.notifications({ limit: 9, ...filter })).map(({ id }) => id);
    assert.deepEqual(await idsFor({}), ['n2', 'n3', 'n1']);
    assert.deepEqual(await idsFor({ limit: 1 }), ['n2']);
    assert.deepEqual(await idsFor({ project: 'etl' }), ['n1']);
    assert.deepEqual(await idsFor({ receiver: 'mail' }), ['n2']);
    assert.deepEqual(await notificationLog.notifications({ limit: 1 }), [ml]);
  });
}
