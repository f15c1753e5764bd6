import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fenceSuite } from '../../../test/contracts/fence-suite.ts';
import { leaseSuite } from '../../../test/contracts/lease-suite.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { openSqliteLeaseStore } from './lease-store.ts';
import { openLedger } from './open-ledger.ts';

leaseSuite('sqlite', async () => {
  const clock = new FakeClock(T0);
  const store = await openSqliteLeaseStore({ file: ':memory:', clock });
  return { store, pass: (ms) => clock.advance(ms) };
});

fenceSuite('sqlite', async () => {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'ledger.db');
  const ledger = await openLedger({ file });
  const close = async (): Promise<void> => {
    await ledger[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  return {
    ledger: { ...ledger, [Symbol.asyncDispose]: close },
    leases: await openSqliteLeaseStore({ file, clock: new FakeClock(T0) }),
  };
});

test('tokens rise over the life of a process', async () => {
  await using folder = await temporaryFolder();
  const options = { file: join(folder.path, 'ledger.db'), clock: new FakeClock(T0) };
  for (const token of [1n, 2n, 3n]) {
    await using store = await openSqliteLeaseStore(options);
    const lease = await store.acquire('x', `life-${token}`, 1_000);
    assert.deepEqual([lease?.token, lease?.until], [token, T0 + 1_000]);
    if (lease !== undefined) await store.release(lease);
  }
});
