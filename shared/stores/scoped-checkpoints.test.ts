import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointSuite } from '../../test/contracts/checkpoint-suite.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { SHARED_SOURCES, scopedCheckpoints } from './scoped-checkpoints.ts';
import { openSqliteCheckpointStore } from './sql/checkpoint-store.ts';

checkpointSuite('a scope', async (clock) =>
  scopedCheckpoints(await openSqliteCheckpointStore({ file: ':memory:', clock }), 'node-1'),
);

test('two processes of one store never see or remove what the other one saved', async () => {
  const clock = new FakeClock();
  await using store = await openSqliteCheckpointStore({ file: ':memory:', clock });
  const [one, two] = [scopedCheckpoints(store, 'node-1'), scopedCheckpoints(store, 'node-10')];
  await one.save([{ source: 'logs:file:1', position: 'a' }]);
  await two.save([{ source: 'logs:file:1', position: 'b' }]);
  assert.deepEqual(await one.checkpoints('logs:'), [{ source: 'logs:file:1', position: 'a' }]);
  assert.deepEqual(await two.checkpoints('logs:'), [{ source: 'logs:file:1', position: 'b' }]);
  await two.save([{ source: 'logs:file:1', position: '' }]);
  assert.deepEqual(await one.checkpoints(''), [{ source: 'logs:file:1', position: 'a' }]);
  assert.equal(await two.lastSavedAt(''), undefined);
});

test('sources that are divided by lease belong to no process', async () => {
  const clock = new FakeClock();
  await using store = await openSqliteCheckpointStore({ file: ':memory:', clock });
  const [one, two] = [scopedCheckpoints(store, 'node-1'), scopedCheckpoints(store, 'node-2')];
  const shared = { source: `${SHARED_SOURCES}logs:file:1`, position: 'a' };
  await one.save([shared, { source: 'logs:file:1', position: 'own' }]);
  assert.deepEqual(await two.checkpoints(SHARED_SOURCES), [shared]);
  assert.equal(await two.lastSavedAt(shared.source), clock.now());
  assert.deepEqual(await two.checkpoints('logs:'), []);
  await two.save([{ ...shared, position: '' }]);
  assert.deepEqual(await one.checkpoints(SHARED_SOURCES), []);
});
