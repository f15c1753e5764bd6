import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkpointFenceSuite, checkpointSuite } from '../../../test/contracts/checkpoint-suite.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { fencedCheckpoints } from '../../../test/support/fenced-checkpoints.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { openSqliteCheckpointStore } from './checkpoint-store.ts';

checkpointSuite('sqlite', (clock) => openSqliteCheckpointStore({ file: ':memory:', clock }));
checkpointFenceSuite('sqlite', async () => fencedCheckpoints(new FakeClock(T0)));

test('checkpoints are there when the file is opened again, and by two at once', async () => {
  await using folder = await temporaryFolder();
  const options = { file: join(folder.path, 'checkpoints.db'), clock: new FakeClock(T0) };
  {
    await using first = await openSqliteCheckpointStore(options);
    await using second = await openSqliteCheckpointStore(options);
    await first.save([{ source: 'a', position: '1' }]);
    await second.save([{ source: 'b', position: '2' }]);
    assert.equal((await first.checkpoints('')).length, 2);
  }
  await using again = await openSqliteCheckpointStore(options);
  assert.deepEqual(await again.checkpoints('b'), [{ source: 'b', position: '2' }]);
});
