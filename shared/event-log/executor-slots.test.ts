import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExecutorSlots } from './executor-slots.ts';
import type { TaskEvent } from './task-line.ts';

const task = (given: Partial<TaskEvent>): TaskEvent => ({
  stageId: 0,
  stageAttempt: 0,
  taskId: 1,
  index: 0,
  partition: undefined,
  executor: '1',
  launch: 0,
  finish: 0,
  reason: 'Success',
  runMs: 0,
  ...given,
});

test('the times of all executors add up', () => {
  const slots = new ExecutorSlots();
  slots.added('1', 0, 2);
  slots.added('2', 0, 1);
  slots.taskEnded(task({ taskId: 1, index: 0, launch: 0, finish: 40 }));
  slots.taskEnded(task({ taskId: 2, index: 1, launch: 10, finish: 30, executor: '2' }));
  slots.removed('2', 50, true);
  assert.deepEqual(slots.totals(100, false), {
    slotMs: 250,
    usefulMs: 60,
    wastedMs: 0,
    idleMs: 160,
    tailMs: 20,
    startUpMs: 10,
  });
});

test('failed, killed and repeated tasks are waste', () => {
  const slots = new ExecutorSlots();
  slots.added('1', 0, 1);
  slots.taskEnded(task({ taskId: 1, launch: 0, finish: 10, reason: 'ExceptionFailure' }));
  slots.taskEnded(task({ taskId: 2, launch: 10, finish: 20 }));
  slots.taskEnded(task({ taskId: 3, launch: 20, finish: 40, reason: 'TaskKilled' }));
  slots.taskEnded(task({ taskId: 4, launch: 40, finish: 80, stageAttempt: 0 }));
  const { usefulMs, wastedMs } = slots.totals(100, true);
  assert.deepEqual([usefulMs, wastedMs], [10, 70]);
});

test('a stage run again after a fetch failure is waste where it had succeeded', () => {
  const slots = new ExecutorSlots();
  slots.added('1', 0, 1);
  const at = (taskId: number, partition: number, stageAttempt: number) =>
    task({ taskId, partition, stageAttempt, launch: taskId * 10, finish: taskId * 10 + 10 });
  slots.taskEnded(at(0, 0, 0));
  slots.taskEnded({ ...at(1, 1, 0), reason: 'FetchFailed' });
  slots.taskEnded(at(2, 1, 1));
  slots.taskEnded(at(3, 0, 1));
  const { usefulMs, wastedMs } = slots.totals(40, true);
  assert.deepEqual([usefulMs, wastedMs], [20, 20]);
});

test("an old Spark's retried stage is told by its number of tasks", () => {
  const slots = new ExecutorSlots();
  slots.added('1', 0, 1);
  slots.stageSubmitted(0, 0, 2);
  const at = (taskId: number, index: number, stageAttempt: number) =>
    task({ taskId, index, stageAttempt, launch: taskId * 10, finish: taskId * 10 + 10 });
  slots.taskEnded(at(0, 0, 0));
  slots.stageSubmitted(0, 1, 1);
  slots.taskEnded(at(1, 0, 1));
  slots.taskEnded(at(2, 0, 1));
  const { usefulMs, wastedMs } = slots.totals(30, true);
  assert.deepEqual([usefulMs, wastedMs], [20, 10]);
});

test('what runs is useful while its executor lives, and waste when it is lost', () => {
  const slots = new ExecutorSlots();
  slots.added('1', 0, 1);
  slots.taskStarted(task({ launch: 20 }));
  assert.equal(slots.totals(100, false).usefulMs, 80);
  assert.equal(slots.totals(100, true).wastedMs, 80);
  slots.removed('1', 60, false);
  assert.equal(slots.totals(100, false).wastedMs, 40);
  slots.taskEnded(task({ launch: 20, finish: 61, reason: 'ExecutorLostFailure' }));
  assert.equal(slots.totals(100, false).wastedMs, 40);
});

test('a removal counts once', () => {
  const slots = new ExecutorSlots();
  slots.added('1', 0, 1);
  slots.removed('1', 60, false);
  slots.removed('1', 90, false);
  slots.removed('unknown', 90, false);
  assert.equal(slots.totals(100, true).slotMs, 60);
});

test('tasks of unknown executors are counted as such; their run time still counts', () => {
  const slots = new ExecutorSlots();
  slots.taskStarted(task({ executor: '9' }));
  slots.taskEnded(task({ executor: '9', runMs: 70 }));
  assert.equal(slots.strangers, 2);
  assert.equal(slots.taskRunMs, 70);
  assert.equal(slots.totals(100, true).slotMs, 0);
});

test('ended executors that are forgotten keep their share of the totals', () => {
  const slots = new ExecutorSlots();
  for (let id = 0; id < 1000; id += 1) {
    slots.added(`${id}`, id, 1);
    slots.taskEnded(task({ taskId: id, index: id, executor: `${id}`, launch: id, finish: id + 3 }));
    slots.removed(`${id}`, id + 10, true);
  }
  const { slotMs, usefulMs, tailMs } = slots.totals(5000, true);
  assert.deepEqual([slotMs, usefulMs, tailMs], [10_000, 3_000, 7_000]);
});
