import assert from 'node:assert/strict';
import test from 'node:test';
import { partOnDemand } from './part-on-demand.ts';

test('a part that nobody asks for is never started, has no metrics and closes', async () => {
  const part = partOnDemand('logs', () => assert.fail('it was started'));
  assert.deepEqual(await part.metrics(), []);
  await part[Symbol.asyncDispose]();
  await assert.rejects(part.rpc.call('ingest-logs', []), { code: 'STORE_UNAVAILABLE' });
});

test('a start that fails fails the call, and the next call tries again', async () => {
  let starts = 0;
  const part = partOnDemand('logs', async () => {
    starts += 1;
    throw new Error('the store is away');
  });
  for (let call = 1; call <= 2; call += 1) {
    await assert.rejects(part.rpc.call('ingest-logs', []), /the store is away/);
    assert.equal(starts, call);
  }
  assert.deepEqual(await part.metrics(), []);
  await part[Symbol.asyncDispose]();
});
