import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StageRepeats } from './stage-repeats.ts';

const success = (stageId: number, attempt: number, index: number, partition?: number) => ({
  stageId,
  attempt,
  index,
  partition,
});

test('the first success of each partition is first, every later one a repeat', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(2), fc.nat(20))), (tasks) => {
      const repeats = new StageRepeats();
      const seen = new Set<string>();
      for (const [stage, attempt, partition] of tasks) {
        const key = `${stage}/${partition}`;
        assert.equal(repeats.isFirst(success(stage, attempt, 0, partition)), !seen.has(key));
        seen.add(key);
      }
    }),
  );
});

test('before Spark 3.3 a retried stage repeats once all its partitions succeeded', () => {
  const repeats = new StageRepeats();
  repeats.submitted(1, 0, 3);
  assert.equal(repeats.isFirst(success(1, 0, 0)), true);
  assert.equal(repeats.isFirst(success(1, 0, 0)), false);
  assert.equal(repeats.isFirst(success(1, 0, 2)), true);
  repeats.submitted(1, 1, 2);
  assert.equal(repeats.isFirst(success(1, 1, 0)), true);
  assert.equal(repeats.isFirst(success(1, 1, 1)), false);
});

test('partitions beyond all reason are taken for first and take no memory', () => {
  const repeats = new StageRepeats();
  for (const partition of [-5, 1e9, Number.MAX_SAFE_INTEGER]) {
    assert.equal(repeats.isFirst(success(0, 0, 0, partition)), true);
    assert.equal(repeats.isFirst(success(0, 0, 0, partition)), true);
  }
});

test('many huge stages push out the oldest, not the memory', () => {
  const repeats = new StageRepeats();
  const before = process.memoryUsage().arrayBuffers;
  for (let stage = 0; stage < 200; stage += 1) repeats.isFirst(success(stage, 0, 0, (1 << 24) - 1));
  assert.equal(repeats.isFirst(success(199, 0, 0, (1 << 24) - 1)), false, 'the newest is known');
  assert.equal(repeats.isFirst(success(0, 0, 0, (1 << 24) - 1)), true, 'the oldest is forgotten');
  assert.ok(process.memoryUsage().arrayBuffers - before < 500 * 2 ** 20);
});
