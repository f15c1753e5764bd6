import assert from 'node:assert/strict';
import test from 'node:test';
import { formatInstant, isInstant, parseInstant, utcDay, utcHour } from './instant.ts';

test('instants print and read as ISO 8601 in UTC', () => {
  const at = Date.UTC(2026, 10, 21, 9, 30, 0, 5);
  assert.equal(formatInstant(at), '2026-11-21T09:30:00.005Z');
  assert.equal(parseInstant('2026-11-21T09:30:00.005Z'), at);
  assert.equal(parseInstant('2026-11-21T10:30:00.005+01:00'), at);
});

test('a time without a zone is no instant', () => {
  for (const text of [
    '2026-11-21T09:30:00',
    '2026-11-21',
    '21/11/26',
    '',
    '2026-13-01T00:00:00Z',
  ]) {
    assert.equal(parseInstant(text), undefined, text);
  }
});

test('hours and days before 1970 begin before their instants', () => {
  assert.equal(utcHour(-1), -3_600_000);
  assert.equal(utcDay(-1), -86_400_000);
});

test('fractions, infinities and what Date cannot print are no instants', () => {
  for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 9e15, '1', null]) {
    assert.equal(isInstant(value), false, String(value));
  }
  assert.equal(isInstant(0), true);
});
