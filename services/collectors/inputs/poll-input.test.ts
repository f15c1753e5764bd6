import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { poll } from './poll-input.ts';

test('turns come at once and then once an interval, also when one takes long, until the abort', async () => {
  const clock = new FakeClock(0);
  const stop = new AbortController();
  const turns: number[] = [];
  const loop = (async () => {
    for await (const _ of poll(5_000, clock, stop.signal)) {
      turns.push(clock.now());
      if (turns.length === 2) await clock.sleep(12_000, stop.signal);
    }
  })();
  await clock.advance(0);
  await clock.advance(30_000);
  assert.deepEqual(turns, [0, 5_000, 17_000, 22_000, 27_000]);
  stop.abort();
  await loop;
});
