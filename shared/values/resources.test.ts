import assert from 'node:assert/strict';
import test from 'node:test';
import { equalResources, isResources, NO_RESOURCES } from './resources.ts';

test('unknown (-1), fractional and absurd amounts are no resources', () => {
  assert.equal(isResources(NO_RESOURCES), true);
  assert.equal(isResources({ ...NO_RESOURCES, millicores: -1 }), false);
  assert.equal(isResources({ ...NO_RESOURCES, memoryMib: 0.5 }), false);
  assert.equal(isResources({ ...NO_RESOURCES, memoryMib: 2 ** 53 }), false);
  assert.equal(isResources({ ...NO_RESOURCES, gpus: Number.NaN }), false);
});

test('vectors are equal when every part is', () => {
  const a = { millicores: 1000, memoryMib: 2048, gpus: 1 };
  assert.equal(equalResources(a, { ...a }), true);
  for (const part of ['millicores', 'memoryMib', 'gpus'] as const) {
    assert.equal(equalResources(a, { ...a, [part]: 7 }), false);
  }
});
