import assert from 'node:assert/strict';
import test from 'node:test';
import { ScrapeSlots } from './scrape-slots.ts';

test('no more than so many are in at a time, and who waited first goes first', async () => {
  const slots = new ScrapeSlots(2);
  const order: number[] = [];
  const { signal } = new AbortController();
  const enter = (n: number) => slots.enter(signal).then(() => order.push(n));
  const all = [1, 2, 3, 4].map(enter);
  await Promise.all(all.slice(0, 2));
  assert.deepEqual(order, [1, 2]);
  slots.leave();
  await all[2];
  assert.deepEqual(order, [1, 2, 3]);
  slots.leave();
  await all[3];
  slots.leave();
  slots.leave();
  await enter(5);
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
});
