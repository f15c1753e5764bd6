import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { GroupCommit } from './group-commit.ts';

function opened(over: { readonly fullSize?: number; readonly fail?: () => boolean } = {}) {
  const clock = new FakeClock(0);
  const commits: string[][] = [];
  const group = new GroupCommit<string, number>({
    clock,
    name: 'test store',
    intervalMs: 100,
    fullSize: over.fullSize ?? 1_000,
    commit: (writes) => {
      if (over.fail?.() === true) throw new Error('no disk');
      commits.push([...writes]);
      return writes.map((write) => write.length);
    },
  });
  return { clock, commits, group };
}

test('writes of one turn share a commit, and each hears its own result', async () => {
  const { commits, group } = opened();
  assert.deepEqual(await Promise.all([group.add('a', 1), group.add('bb', 1)]), [1, 2]);
  assert.deepEqual(commits, [['a', 'bb']]);
});

test('a second commit waits for the interval, and takes what came meanwhile', async () => {
  const { clock, commits, group } = opened();
  await group.add('a', 1);
  const later = [group.add('b', 1), group.add('c', 1)];
  await clock.advance(99);
  assert.equal(commits.length, 1);
  await clock.advance(1);
  await Promise.all(later);
  assert.deepEqual(commits, [['a'], ['b', 'c']]);
});

test('enough waiting is committed before the interval is over', async () => {
  const { commits, group } = opened({ fullSize: 10 });
  await group.add('a', 1);
  await Promise.all([group.add('b', 5), group.add('c', 5)]);
  assert.deepEqual(commits, [['a'], ['b', 'c']]);
});

test('a commit that fails is told to all its writers, and the next one works', async () => {
  let full = true;
  const { clock, commits, group } = opened({ fail: () => full });
  const results = await Promise.allSettled([group.add('a', 1), group.add('b', 1)]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  full = false;
  const next = group.add('a', 1);
  await clock.advance(100);
  assert.equal(await next, 1);
  assert.deepEqual(commits, [['a']]);
});

test('closing commits what was added, and takes nothing more', async () => {
  const { commits, group } = opened();
  await group.add('a', 1);
  const last = group.add('b', 1);
  await group[Symbol.asyncDispose]();
  assert.equal(await last, 1);
  assert.deepEqual(commits, [['a'], ['b']]);
  await assert.rejects(group.add('c', 1), /the test store is closed/);
});
