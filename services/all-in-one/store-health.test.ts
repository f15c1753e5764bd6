import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors/app-error.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { StoreHealth } from './store-health.ts';

const GONE = new AppError('STORE_UNAVAILABLE', 'it does not answer');

test('a store that goes is a reason until it is back, and is told of once', async () => {
  const clock = new FakeClock();
  const said: string[] = [];
  const logger = {
    ...silentLogger,
    warn: (_: object, text: string) => said.push(text),
    info: (_: object, text: string) => said.push(text),
  };
  let error: AppError | undefined;
  await using health = new StoreHealth({
    check: async () => [
      { store: 'ledger', error: undefined },
      { store: 'logs', error },
    ],
    intervalMs: 10_000,
    clock,
    logger: logger as never,
  });
  await clock.advance(10_000);
  assert.deepEqual(health.reasons, []);
  error = GONE;
  await clock.advance(30_000);
  assert.deepEqual(health.reasons, ['logs: it does not answer']);
  error = undefined;
  await clock.advance(20_000);
  assert.deepEqual(health.reasons, []);
  assert.deepEqual(said, ['a store cannot be used for now', 'a store can be used again']);
});

test('a look that breaks changes nothing, and the next one is made', async () => {
  const clock = new FakeClock();
  let looks = 0;
  await using health = new StoreHealth({
    check: async () => {
      looks += 1;
      if (looks === 2) throw new Error('a bug');
      return [{ store: 'logs', error: looks < 3 ? GONE : undefined }];
    },
    intervalMs: 10_000,
    clock,
    logger: silentLogger,
  });
  await clock.advance(20_000);
  assert.deepEqual(health.reasons, ['logs: it does not answer']);
  await clock.advance(10_000);
  assert.deepEqual(health.reasons, []);
});
