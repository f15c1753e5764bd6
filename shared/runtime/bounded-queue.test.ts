import assert from 'node:assert/strict';
import test from 'node:test';
import { BoundedQueue } from './bounded-queue.ts';

const never = new AbortController().signal;

test('a full queue refuses an offer and lets a producer wait until there is room', async () => {
  const queue = new BoundedQueue<string>(10);
  assert.equal(queue.offer('a', 6), true);
  assert.equal(queue.offer('b', 6), false);
  let stored = false;
  const waiting = queue.put('b', 6, never).then(() => {
    stored = true;
  });
  await Promise.resolve();
  assert.equal(stored, false);
  assert.deepEqual(await queue.take(10), ['a']);
  await waiting;
  assert.deepEqual(await queue.take(10), ['b']);
  assert.equal(queue.bytes, 0);
});

test('an item larger than the limit passes alone instead of blocking for ever', async () => {
  const queue = new BoundedQueue<string>(10);
  await queue.put('huge', 1_000, never);
  assert.equal(queue.offer('next', 1), false);
  assert.deepEqual(await queue.take(1), ['huge']);
  assert.equal(queue.offer('next', 1), true);
});

test('many waiting producers lose nothing and keep the limit', async () => {
  const queue = new BoundedQueue<number>(5);
  const puts = Array.from({ length: 100 }, (_, i) => queue.put(i, 1, never));
  const taken: number[] = [];
  while (taken.length < 100) {
    assert.ok(queue.bytes <= 5);
    taken.push(...(await queue.take(3)));
  }
  await Promise.all(puts);
  assert.deepEqual(
    [...taken].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test('a waiting producer ends with its signal', async () => {
  const queue = new BoundedQueue<string>(1);
  await queue.put('a', 1, never);
  const stop = new AbortController();
  const waiting = queue.put('b', 1, stop.signal);
  stop.abort(new Error('stopping'));
  await assert.rejects(waiting, /stopping/);
});

test('a closed queue gives what it holds, then nothing, and takes nothing more', async () => {
  const queue = new BoundedQueue<string>(10);
  queue.offer('a', 1);
  queue.close();
  assert.deepEqual(await queue.take(5), ['a']);
  assert.deepEqual(await queue.take(5), []);
  assert.throws(() => queue.offer('b', 1), /closed/);
});

test('a consumer that waits wakes for an item and for the close', async () => {
  const queue = new BoundedQueue<string>(10);
  const first = queue.take(1);
  queue.offer('a', 1);
  assert.deepEqual(await first, ['a']);
  const second = queue.take(1);
  queue.close();
  assert.deepEqual(await second, []);
});
