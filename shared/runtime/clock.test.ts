import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from './clock.ts';

test('a sleep ends at once when its signal aborts, before or during it', async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(60_000, stop.signal);
  stop.abort();
  await sleeping;
  await systemClock.sleep(60_000, stop.signal);
});

test('elapsed time never goes back', () => {
  const first = systemClock.elapsed();
  assert.ok(systemClock.elapsed() >= first);
});
