import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storesConfig } from '../../shared/stores/config.ts';
import { openAlertStores } from '../../shared/stores/open-stores.ts';
import { openSqliteAlertStores } from '../../shared/stores/sql/open-alert-stores.ts';
import { aSilence } from '../support/alert-builders.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { temporaryFolder } from '../support/running-tollgate.ts';
import { alertStoreSuite } from './alert-store-suite.ts';
import { enforcementSuite } from './enforcement-suite.ts';
import { notificationLogSuite } from './notification-log-suite.ts';
import { outboxSuite } from './outbox-suite.ts';
import { silenceStoreSuite } from './silence-store-suite.ts';

const open = async () => openSqliteAlertStores({ file: ':memory:', clock: new FakeClock() });

alertStoreSuite('sqlite', open);
outboxSuite('sqlite', open);
silenceStoreSuite('sqlite', open);
notificationLogSuite('sqlite', open);
enforcementSuite('sqlite', open);

test('a silence that another process makes is seen at once, and leases are shared', async () => {
  await using folder = await temporaryFolder();
  const setup = { dataFolder: folder.path, process: 'a', stores: storesConfig.parse({}) };
  const deps = { clock: new FakeClock(), random: () => 0.5 };
  await using mine = await openAlertStores(setup, deps);
  await using theirs = await openAlertStores({ ...setup, process: 'b' }, deps);
  await theirs.silences.create(aSilence('s1'));
  assert.deepEqual(await mine.silences.silence('s1'), aSilence('s1'));
  assert.equal((await mine.leases.acquire('alerter/rules', 'a', 1_000))?.token, 1n);
  assert.equal(await theirs.leases.acquire('alerter/rules', 'b', 1_000), undefined);
});
