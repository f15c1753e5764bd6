import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utcMonth } from './utc-month.ts';

test('a month begins with its first millisecond in UTC, across years and leap days', () => {
  assert.equal(utcMonth(Date.UTC(2026, 10, 1)), Date.UTC(2026, 10, 1));
  assert.equal(utcMonth(Date.UTC(2026, 10, 1) - 1), Date.UTC(2026, 9, 1));
  assert.equal(utcMonth(Date.UTC(2026, 11, 31, 23), 1), Date.UTC(2027, 0, 1));
  assert.equal(utcMonth(Date.UTC(2028, 1, 29), 1), Date.UTC(2028, 2, 1));
  assert.equal(utcMonth(Date.UTC(2026, 0, 15), -1), Date.UTC(2025, 11, 1));
});
