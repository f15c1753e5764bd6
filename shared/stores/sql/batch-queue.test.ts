import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../runtime/clock.ts';
import { BatchQueue } from './batch-queue.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Batches that end when the test says so. */
function heldQueue(clock: Partial<Pick<Clock, 'sleep'>> = {}) {
  const batches: { items: readonly number[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
  const queue = new BatchQueue<number, string>({
    name: 'things',
    run: (items) => {
      const end = Promise.withResolvers<readonly string[]>();
      batches.push({ items, end });
      return end.promise;
    },
    ...{ batchMax: 3, onTheWayMax: 2, waitingMax: 5, restMs: 0 },
    clock: { sleep: () => Promise.resolve(), ...clock },
  });
  return { queue, batches };
}

test('what comes in one turn goes together, and what comes meanwhile afterwards', async () => {
  const { queue, batches } = heldQueue();
  const first = [1, 2].map((n) => queue.add(n));
  await turn();
  const second = queue.add(3);
  await turn();
  const later = [4, 5, 6, 7].map((n) => queue.add(n));
  await turn();
  assert.deepEqual(
    batches.map(({ items }) => items),
    [[1, 2], [3]],
  );
  batches[0]?.end.resolve(['a', 'b']);
  assert.deepEqual(await Promise.all(first), ['a', 'b']);
  await turn();
  assert.deepEqual(batches[2]?.items, [4, 5, 6]);
  batches[1]?.end.resolve(['c']);
  assert.equal(await second, 'c');
  await turn();
  batches[2]?.end.resolve(['d', 'e', 'f']);
  batches[3]?.end.resolve(['g']);
  assert.deepEqual(await Promise.all(later), ['d', 'e', 'f', 'g']);
});

test('more than may wait is refused; a failure is told to its batch alone', async () => {
  const { queue, batches } = heldQueue();
  const waiting = [1, 2, 3, 4, 5].map((n) => queue.add(n));
  await assert.rejects(queue.add(6), { code: 'OVERLOADED', message: /too many things wait/ });
  await turn();
  batches[0]?.end.reject(new Error('gone'));
  batches[1]?.end.resolve(['d', 'e']);
  const settled = await Promise.allSettled(waiting);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected', 'fulfilled', 'fulfilled'],
  );
});

test('what comes during a rest goes together after it, though a batch could be under way', async () => {
  const rests: (() => void)[] = [];
  const sleep = () => new Promise<void>((resolve) => rests.push(resolve));
  const { queue, batches } = heldQueue({ sleep });
  void queue.add(1);
  await turn();
  batches[0]?.end.resolve(['a']);
  void queue.add(2);
  await turn();
  void queue.add(3);
  await turn();
  assert.deepEqual(
    batches.map(({ items }) => items),
    [[1]],
  );
  rests[0]?.();
  await turn();
  assert.deepEqual(batches[1]?.items, [2, 3]);
});
