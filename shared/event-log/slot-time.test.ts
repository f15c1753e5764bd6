import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlotTime, type SlotTotals } from './slot-time.ts';

const split = (totals: SlotTotals) => [
  totals.slotMs,
  totals.startUpMs,
  totals.usefulMs,
  totals.wastedMs,
  totals.tailMs,
  totals.idleMs,
];
const end = { at: 100, released: false, running: [], runningIsUseful: false };

test('start-up is before the first task, tail after the last when released, idle in between', () => {
  const slots = new SlotTime(0, 2);
  slots.add(10, 30, true);
  slots.add(40, 60, false);
  assert.deepEqual(split(slots.totals({ ...end, released: true })), [200, 20, 20, 20, 80, 60]);
  assert.deepEqual(split(slots.totals(end)), [200, 20, 20, 20, 0, 140]);
});

test('an executor that never had a task was idle all its life', () => {
  assert.deepEqual(
    split(new SlotTime(0, 3).totals({ ...end, released: true })),
    [300, 0, 0, 0, 0, 300],
  );
});

test('a long task that ends last still finds its slot', () => {
  const slots = new SlotTime(0, 2);
  slots.add(0, 10, true);
  slots.add(10, 20, true);
  slots.add(0, 100, true);
  assert.equal(slots.totals(end).usefulMs, 120);
});

test('more tasks at once than slots are clipped, not counted twice', () => {
  const slots = new SlotTime(0, 1);
  slots.add(0, 60, true);
  slots.add(30, 80, false);
  assert.deepEqual(split(slots.totals(end)), [100, 0, 60, 20, 0, 20]);
});

test('tasks that run at the end count up to it, and asking changes nothing', () => {
  const slots = new SlotTime(0, 2);
  slots.launched(20);
  const running = { ...end, running: [20, 50], runningIsUseful: true };
  assert.deepEqual(split(slots.totals(running)), [200, 40, 130, 0, 0, 30]);
  assert.deepEqual(
    split(slots.totals({ ...running, runningIsUseful: false })),
    [200, 40, 0, 130, 0, 30],
  );
});

test('what ends after the executor did is cut to its life, one that ends before its start has none', () => {
  const slots = new SlotTime(0, 1);
  slots.add(90, 500, false);
  assert.deepEqual(split(slots.totals(end)), [100, 90, 0, 10, 0, 0]);
  const inverted = new SlotTime(1000, 4);
  inverted.add(1000, 1010, true);
  assert.deepEqual(split(inverted.totals(end)), [0, 0, 0, 0, 0, 0]);
});

const instant = fc.integer({ min: -50, max: 300 });
const task = fc.record({ launch: instant, length: fc.nat(150), useful: fc.boolean() });

test('the five parts add up to slots × life, whatever the log claims', () => {
  fc.assert(
    fc.property(
      fc.array(task, { maxLength: 30 }),
      fc.array(instant, { maxLength: 5 }),
      fc.record({ slots: fc.integer({ min: 1, max: 5 }), at: instant, released: fc.boolean() }),
      (tasks, running, { slots, at, released }) => {
        const time = new SlotTime(0, slots);
        for (const { launch, length, useful } of tasks) time.add(launch, launch + length, useful);
        const totals = time.totals({ at, released, running, runningIsUseful: true });
        const [slotMs, ...parts] = split(totals);
        assert.equal(slotMs, Math.max(0, at) * slots);
        assert.equal(
          parts.reduce((a, b) => a + b, 0),
          slotMs,
        );
        assert.ok(parts.every((part) => part >= 0 && Number.isSafeInteger(part)));
      },
    ),
  );
});

test('tasks that fit their slots count in full, as a sum per millisecond says', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ launch: fc.nat(200), length: fc.integer({ min: 1, max: 80 }) }), {
        maxLength: 40,
      }),
      fc.integer({ min: 1, max: 4 }),
      (wanted, slots) => {
        // Only as many at once as there are slots, as Spark launches them.
        const busy = new Array<number>(300).fill(0);
        const tasks = wanted.filter(({ launch, length }) => {
          const span = busy.slice(launch, launch + length);
          if (span.some((count) => count >= slots)) return false;
          for (let ms = launch; ms < launch + length; ms += 1) busy[ms] = (busy[ms] ?? 0) + 1;
          return true;
        });
        const time = new SlotTime(0, slots);
        const byEnd = tasks
          .map(({ launch, length }) => ({ launch, finish: launch + length }))
          .sort((a, b) => a.finish - b.finish);
        for (const { launch, finish } of byEnd) time.add(launch, finish, true);
        const oracle = busy.reduce((sum, count) => sum + count, 0);
        assert.equal(time.totals({ ...end, at: 300 }).usefulMs, oracle);
      },
    ),
  );
});

test('the times of a log that lies still add up in exact integers', () => {
  const time = new SlotTime(0, 1_000_000_000);
  time.add(5, 4_000_000_000_000, true);
  const [slotMs = 0, ...parts] = split(time.totals({ ...end, at: 4_000_000_000_000 }));
  assert.ok(Number.isSafeInteger(slotMs));
  assert.equal(
    parts.reduce((a, b) => a + b, 0),
    slotMs,
  );
});
