import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { HeldShards } from './held-shards.ts';
import { openSqliteLeaseStore } from './sql/lease-store.ts';

const TTL_MS = 9_000;

async function world(shards = 16) {
  const clock = new FakeClock();
  const store = await openSqliteLeaseStore({ file: ':memory:', clock });
  const member = (holder: string, onRelease?: (shard: number) => Promise<void>) =>
    new HeldShards({
      store,
      name: 'meter',
      shards,
      holder,
      ttlMs: TTL_MS,
      clock,
      ...(onRelease && { onRelease }),
    });
  return { clock, store, member };
}

/** Lets each ask as often as it would in two lease times. */
async function settle(clock: FakeClock, members: readonly HeldShards[]): Promise<void> {
  for (let i = 0; i < 8; i += 1) {
    await clock.advance(TTL_MS / 3);
    for (const one of members) await one.fences();
  }
}

async function shares(members: readonly HeldShards[]): Promise<number[][]> {
  const held: number[][] = [];
  for (const one of members) held.push([...(await one.fences()).keys()].sort((a, b) => a - b));
  return held;
}

test('one process has every shard, under a fence for each', async () => {
  const { member } = await world(3);
  const fences = await member('a').fences();
  assert.deepEqual(
    [...fences].map(([shard, { name, token }]) => [shard, name, token]),
    [
      [0, 'meter/shard-0', 1n],
      [1, 'meter/shard-1', 1n],
      [2, 'meter/shard-2', 1n],
    ],
  );
});

test('whoever comes gets its share, and gives it back when it leaves', async () => {
  const { clock, member } = await world();
  const a = member('a');
  await a.fences();
  const [b, c] = [member('b'), member('c')];
  await settle(clock, [a, b, c]);
  const three = await shares([a, b, c]);
  assert.deepEqual(
    three.flat().toSorted((x, y) => x - y),
    [...Array(16).keys()],
  );
  assert.deepEqual(three.map((held) => held.length).toSorted(), [4, 6, 6]);
  await b[Symbol.asyncDispose]();
  await settle(clock, [a, c]);
  const two = await shares([a, c]);
  assert.deepEqual(
    two.map((held) => held.length),
    [8, 8],
  );
});

test('the shards of one that died are free after its lease time, under newer tokens', async () => {
  const { clock, member } = await world(4);
  const dead = member('dead');
  const a = member('a');
  await settle(clock, [dead, a]);
  await settle(clock, [a]);
  const fences = await a.fences();
  assert.equal(fences.size, 4);
  assert.ok(Math.max(...[...fences.values()].map(({ token }) => Number(token))) > 1);
  assert.equal((await dead.fences()).size, 0, 'what it had is gone');
});

test('work in a shard ends before another process may take it', async () => {
  const { clock, store, member } = await world(2);
  const ended: number[] = [];
  const a = member('a', async (shard) => {
    const held = await store.held('meter');
    assert.ok(held.some(({ name }) => name === `meter/shard-${shard}`));
    ended.push(shard);
  });
  await a.fences();
  await settle(clock, [a, member('b')]);
  assert.deepEqual(ended, [1]);
});

test('shards are given back at the same time, and one whose work goes on is not', async () => {
  const { clock, store, member } = await world(4);
  const stuck = Promise.withResolvers<void>();
  const leaving: number[] = [];
  const a = member('a', (shard) => {
    leaving.push(shard);
    return shard === 3 ? stuck.promise : Promise.resolve();
  });
  const b = member('b');
  await a.fences();
  await b.fences();
  await clock.advance(TTL_MS / 3);
  const asked = a.fences();
  while (leaving.length < 2) await new Promise((resolve) => setImmediate(resolve));
  stuck.reject(new Error('still at work'));
  await assert.rejects(asked, /still at work/);
  const held = (await store.held('meter')).filter(({ holder }) => holder === 'a');
  const names = held.map(({ name }) => name).filter((name) => name.includes('shard'));
  assert.deepEqual(names, ['meter/shard-0', 'meter/shard-1', 'meter/shard-3']);
});

test('what a refused write calls into question is asked at once', async () => {
  const { store, member } = await world(1);
  const a = member('a');
  await a.fences();
  const [lease] = (await store.held('meter')).filter(({ name }) => name === 'meter/shard-0');
  assert.ok(lease !== undefined);
  await store.release(lease);
  await store.acquire(lease.name, 'b', TTL_MS);
  assert.equal((await a.fences()).size, 1, 'not asked yet');
  a.recheck();
  assert.equal((await a.fences()).size, 0);
});

test('more processes than shards: the others wait', async () => {
  const { clock, member } = await world(2);
  const all = ['a', 'b', 'c', 'd'].map((holder) => member(holder));
  await settle(clock, all);
  assert.deepEqual(
    (await shares(all)).map((held) => held.length),
    [1, 1, 0, 0],
  );
  await all[0]?.[Symbol.asyncDispose]();
  const rest = all.slice(1);
  await settle(clock, rest);
  assert.deepEqual(
    (await shares(rest)).map((held) => held.length),
    [1, 1, 0],
  );
});

test('who has none asks each time, and so takes what is free at once', async () => {
  const { member } = await world(1);
  const [a, b] = [member('a'), member('b')];
  await a.fences();
  assert.equal((await b.fences()).size, 0);
  await a[Symbol.asyncDispose]();
  assert.equal((await b.fences()).size, 1);
});

test('a shard that a refused write calls lost is asked for anew', async () => {
  const { member } = await world(1);
  const a = member('a');
  const before = (await a.fences()).get(0);
  a.lost(0);
  assert.deepEqual((await a.fences()).get(0)?.token, before?.token, 'it was still ours');
});

test('property: however processes come, die and pause, no shard has two holders by token', async () => {
  const step = fc.record({
    who: fc.integer({ min: 0, max: 3 }),
    does: fc.constantFrom('ask', 'ask', 'ask', 'leave', 'sleep'),
    ms: fc.integer({ min: 0, max: TTL_MS }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, store, member } = await world(5);
      let life = 0;
      const all = Array.from({ length: 4 }, (_one, i) => member(`p${i}`));
      for (const { who, does, ms } of steps) {
        await clock.advance(ms);
        const one = all[who];
        if (one === undefined || does === 'sleep') continue;
        if (does === 'leave') {
          await one[Symbol.asyncDispose]();
          life += 1;
          all[who] = member(`p${who}-${life}`);
          continue;
        }
        const fences = await one.fences();
        const now = await store.held('meter');
        for (const fence of fences.values()) {
          const lease = now.find(({ name }) => name === fence.name);
          assert.equal(lease?.token, fence.token);
        }
      }
      await settle(clock, all);
      const held = (await shares(all)).flat();
      assert.deepEqual(held.toSorted(), [0, 1, 2, 3, 4]);
    }),
    { numRuns: 25 },
  );
});
