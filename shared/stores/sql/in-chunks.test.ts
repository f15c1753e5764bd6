import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inChunks } from './in-chunks.ts';

test('a list is cut without loss, the last part being the short one', () => {
  assert.deepEqual(inChunks([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(inChunks([], 2), []);
});
