import assert from 'node:assert/strict';
import test from 'node:test';
import { scanRest } from './scan-rest.ts';

test('few files are listed at the interval, many so that it costs no more than 1.5 % of a core', () => {
  assert.equal(scanRest(2, 1_000), 1_000);
  assert.equal(scanRest(20, 1_000), 1_400);
  assert.ok(20 / (20 + scanRest(20, 1_000)) < 0.015);
});

test('however long a scan takes, new lines are found within two seconds', () => {
  assert.equal(scanRest(1_000, 1_000), 1_500);
  assert.equal(scanRest(1_000, 30_000), 30_000);
});
