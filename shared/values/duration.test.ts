import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';

test('durations are read as Prometheus writes them', () => {
  const read = ['90s', '5m', '1h30m', '7d', '2w', '250ms', '0s'].map(parseDuration);
  assert.deepEqual(read, [90_000, 300_000, 5_400_000, 604_800_000, 1_209_600_000, 250, 0]);
});

test('what is no duration is refused', () => {
  for (const text of ['', '5', 'm', '5 m', '-5m', '1.5h', '5y', '5m!']) {
    assert.equal(parseDuration(text), undefined, text);
  }
});
