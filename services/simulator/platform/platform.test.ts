import assert from 'node:assert/strict';
import test from 'node:test';
import { Platform } from './platform.ts';
import type { SimEvent } from './sim-event.ts';

const START = Date.UTC(2026, 10, 21, 8);
const HOUR = 3_600_000;

test('the same seed and start play the same platform, however time is cut', () => {
  const whole = new Platform(7, START).advance(START + HOUR / 2);
  const cut = new Platform(7, START);
  const pieces: SimEvent[] = [];
  for (let at = START; at < START + HOUR / 2; at += 7_000) pieces.push(...cut.advance(at));
  pieces.push(...cut.advance(START + HOUR / 2));
  assert.deepEqual(pieces, whole);
});

test('another seed plays another platform', () => {
  const count = (seed: number) => new Platform(seed, START).advance(START + HOUR / 4).length;
  assert.notEqual(count(1), count(2));
});

for (const seed of [1, 2, 3]) {
  test(`nothing is allocated that a cluster does not have, seed ${seed}`, () => {
    const platform = new Platform(seed, START);
    for (let minute = 1; minute <= 180; minute += 1) {
      platform.advance(START + minute * 60_000);
      for (const cluster of platform.clusters.values()) {
        for (const node of cluster.nodes) {
          assert.ok(node.cores >= 0 && node.cores <= cluster.spec.nodeCores);
          assert.ok(node.memoryMib >= 0 && node.memoryMib <= cluster.spec.nodeMemoryMib);
        }
        const { total, free } = cluster.load();
        const held = platform
          .runs(cluster.spec.id)
          .filter(({ state }) => state !== 'ended')
          .reduce((sum, run) => {
            const driver = cluster.spec.type === 'yarn' ? 1 : 0;
            return sum + driver + run.executors.length * run.executorNeed.cores;
          }, 0);
        assert.equal(total.cores - free.cores, held);
      }
    }
  });
}

test('an executor never runs more tasks than it has cores, and a task ends once', () => {
  const running = new Map<string, Set<number>>();
  const ended = new Set<string>();
  for (const event of new Platform(7, START).advance(START + 2 * HOUR)) {
    if (event.kind === 'task-ended') {
      const key = `${event.app.id}/${event.task.id}`;
      assert.ok(!ended.has(key), `task ${key} ended twice`);
      ended.add(key);
      running.get(`${event.app.id}/${event.task.executor}`)?.delete(event.task.id);
    }
    if (event.kind === 'task-started') {
      const key = `${event.app.id}/${event.task.executor}`;
      const tasks = running.get(key) ?? new Set();
      running.set(key, tasks.add(event.task.id));
      assert.ok(tasks.size <= event.app.workload.executorCores);
    }
  }
  assert.ok(ended.size > 1_000);
});

test('the stories of the platform are played: a stalled stream, a runaway, lost executors', () => {
  const events = new Platform(7, START).advance(START + 6 * HOUR);
  const stalled = events.filter((event) => event.kind === 'progress' && event.progress.rows === 0);
  assert.ok(stalled.length > 50, 'the stalled stream commits without moving');
  const lost = events.filter(
    (event) => event.kind === 'executor-removed' && event.reason.includes('preempted'),
  );
  assert.ok(lost.length > 3, 'executors are lost');
  const runaway = events.find(
    (event) => event.kind === 'application-ended' && event.app.workload.fault === 'runs-away',
  );
  assert.ok(runaway, 'the runaway ends only after hours');
});
