import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeOffsets } from './judge-offsets.ts';

const judge = (...samples: [end: number | bigint, lag: number | null][]) =>
  judgeOffsets(
    samples.map(([end, lag]) => ({ end, lag })),
    3,
  );

test('a partition that keeps up or catches up is ok', () => {
  assert.equal(judge([1, 0], [2, 0], [3, 0]), 'ok');
  assert.equal(judge([1, 30], [11, 25], [21, 28]), 'ok');
});

test('one zero in the window is ok, however the lag grew since', () => {
  assert.equal(judge([1, 0], [2, 50], [3, 90]), 'ok');
});

test('an offset that moves under a lag that never falls is a warning', () => {
  assert.equal(judge([1, 30], [11, 30], [21, 45]), 'warn');
});

test('batches that leave the offset where it is, with records to read, are a stall', () => {
  assert.equal(judge([7, 30], [7, 30], [7, 45]), 'stall');
  assert.equal(judge([7, 30], [7, 20], [7, 10]), 'stall');
});

test('an offset that went back is a rewind, even at no lag', () => {
  assert.equal(judge([1_000, 0], [400, 600]), 'rewind');
  assert.equal(judge([10, null], [5, null]), 'rewind');
  assert.equal(judge([9_007_199_254_740_993n, 1], [9_007_199_254_740_992n, 2]), 'rewind');
});

test('nothing is said of a lag that is not known, or of few batches', () => {
  assert.equal(judge([1, null], [1, null], [1, null]), 'ok');
  assert.equal(judge([1, 5], [1, null], [1, 5]), 'ok');
  assert.equal(judge([1, 5], [1, 5]), 'ok');
  assert.equal(judge(), 'ok');
});
