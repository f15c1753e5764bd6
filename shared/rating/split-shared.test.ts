import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OWNER, splitShared, sumShares, UNUSED_METHODS } from './split-shared.ts';

const cost = {
  executors: 100n,
  others: 20n,
  slotMs: 1_000,
  taskMs: new Map([
    ['alice', 300],
    ['bob', 100],
  ]),
};
const told = (method: (typeof UNUSED_METHODS)[number], given = cost) =>
  splitShared(given, method).map(({ key, worked, unused }) => [key, worked, unused]);

test('task time decides what is worked; the rest of the slots and the driver go by the method', () => {
  // 30 and 10 of 100 are worked; 60 idle and 20 for the driver are left.
  assert.deepEqual(told('by-use'), [
    ['alice', 30n, 60n],
    ['bob', 10n, 20n],
  ]);
  assert.deepEqual(told('even'), [
    ['alice', 30n, 40n],
    ['bob', 10n, 40n],
  ]);
  assert.deepEqual(told('owner'), [
    [OWNER, 0n, 80n],
    ['alice', 30n, 0n],
    ['bob', 10n, 0n],
  ]);
});

test('tasks of nobody are the owner’s, who takes a part of the rest by use only', () => {
  const shared = { ...cost, taskMs: new Map([...cost.taskMs, [OWNER, 400]]) };
  assert.deepEqual(told('by-use', shared), [
    [OWNER, 40n, 20n],
    ['alice', 30n, 15n],
    ['bob', 10n, 5n],
  ]);
  assert.deepEqual(told('even', shared)[0], ['alice', 30n, 20n]);
});

test('an application that ran no task of anybody is its owner’s, by every method', () => {
  for (const method of UNUSED_METHODS) {
    assert.deepEqual(told(method, { ...cost, taskMs: new Map() }), [[OWNER, 0n, 120n]]);
    assert.deepEqual(told(method, { ...cost, slotMs: 0, taskMs: new Map() }), [[OWNER, 0n, 120n]]);
  }
});

test('shares add up to the whole, whatever the log claims and whichever method', () => {
  const amount = fc.bigInt({ min: 0n, max: 10n ** 18n });
  const key = fc.constantFrom(OWNER, 'a', 'b', 'c', '__proto__');
  const ms = fc.integer({ min: 0, max: 2 ** 40 });
  fc.assert(
    fc.property(
      fc.record({ executors: amount, others: amount, slotMs: ms }),
      fc.array(fc.tuple(key, ms), { maxLength: 6 }),
      fc.constantFrom(...UNUSED_METHODS),
      (given, times, method) => {
        const shares = splitShared({ ...given, taskMs: new Map(times) }, method);
        const sum = (some: typeof shares): bigint =>
          some.reduce((total, { worked, unused }) => total + worked + unused, 0n);
        assert.equal(sum(shares), given.executors + given.others);
        assert.ok(shares.every(({ worked, unused }) => worked >= 0n && unused >= 0n));
        assert.equal(sum(sumShares([...shares, ...shares])), sum(shares) * 2n);
      },
    ),
  );
});
