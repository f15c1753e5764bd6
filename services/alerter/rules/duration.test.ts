import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, span } from './duration.ts';

test('what is no duration is refused', () => {
  for (const text of ['', '5', 'm', '5 m', '-5m', '1.5h', '5y', '5m!']) {
    assert.equal(duration('.').safeParse(text).success, false, text);
  }
});

test('a duration is at most a year, and a span is longer than nothing', () => {
  assert.equal(duration('.').parse('366d'), 366 * 86_400_000);
  assert.equal(duration('.').safeParse('367d').success, false);
  assert.equal(duration('.').parse('0s'), 0);
  assert.equal(span('.').safeParse('0s').success, false);
});
