import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { timeLimit } from './time-limit.ts';

const NEVER = new AbortController().signal;

test('work that is not done in time is aborted, and it is known that the time was over', async () => {
  const clock = new FakeClock();
  using limit = timeLimit(clock, 1_000, NEVER);
  await clock.advance(999);
  assert.deepEqual([limit.signal.aborted, limit.isOver], [false, false]);
  await clock.advance(1);
  assert.deepEqual([limit.signal.aborted, limit.isOver], [true, true]);
});

test('the caller’s signal aborts it too, and that is no end of the time', () => {
  const clock = new FakeClock();
  const caller = new AbortController();
  using limit = timeLimit(clock, 1_000, caller.signal);
  caller.abort();
  assert.deepEqual([limit.signal.aborted, limit.isOver], [true, false]);
});

test('what is done in time leaves no sleeper', async () => {
  const clock = new FakeClock();
  const limit = timeLimit(clock, 1_000, NEVER);
  limit[Symbol.dispose]();
  assert.equal(clock.sleepers, 0);
  await clock.advance(2_000);
  assert.equal(limit.isOver, false);
});
