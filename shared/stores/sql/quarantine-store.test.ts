import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quarantineSuite, refused } from '../../../test/contracts/quarantine-suite.ts';
import { openQuarantine } from './quarantine-store.ts';

quarantineSuite('sqlite', () => openQuarantine({ file: ':memory:' }));

test('a full quarantine lets the oldest go, and counts them', async () => {
  let evicted = 0;
  await using quarantine = await openQuarantine({
    file: ':memory:',
    maxBytes: 50_000,
    onEvicted: (records) => {
      evicted += records;
    },
  });
  for (let i = 0; i < 100; i += 1)
    await quarantine.put([refused(`r${i}`, { raw: 'x'.repeat(1_000) })]);
  const ids = (await quarantine.list({ limit: 1_000 })).map(({ id }) => id);
  assert.equal(ids[0], 'r99');
  assert.equal(ids.length + evicted, 100);
  assert.ok(ids.length > 35 && ids.length < 47);
  await quarantine.remove(ids);
  await quarantine.put([refused('again')]);
  assert.equal((await quarantine.list({ limit: 10 })).length, 1);
});
