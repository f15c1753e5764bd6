import assert from 'node:assert/strict';
import test from 'node:test';
import { threadOnDemand } from './thread.ts';

const DATA = {
  config: {},
  setup: {} as never,
  roles: ['collect'] as const,
  catchUp: undefined,
  logLevel: 'error',
};

test('a thread that nobody asks for is never started, has no metrics and closes', async () => {
  const thread = threadOnDemand('nowhere', DATA, () => assert.fail('it was started'));
  assert.deepEqual(await thread.metrics(), []);
  await thread[Symbol.asyncDispose]();
  await assert.rejects(thread.rpc.call('ingest-metrics', []), { code: 'STORE_UNAVAILABLE' });
});

test('a start that fails fails the call, and the next call tries again', async () => {
  const thread = threadOnDemand('nowhere', DATA, () => {});
  for (let call = 0; call < 2; call += 1) {
    await assert.rejects(thread.rpc.call('ingest-metrics', []), /nowhere-worker/);
  }
  assert.deepEqual(await thread.metrics(), []);
  await thread[Symbol.asyncDispose]();
});
