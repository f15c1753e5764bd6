import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatInstant } from '../../../shared/values/instant.ts';
import { limitParameter, parseTime, timeParameter } from './query-schema.ts';

const NOW = Date.UTC(2026, 10, 21, 9);

test('a time is now, so long before now, or a moment with its zone', () => {
  assert.equal(parseTime('now', NOW), NOW);
  assert.equal(parseTime('-90s', NOW), NOW - 90_000);
  assert.equal(parseTime('-15m', NOW), NOW - 900_000);
  assert.equal(parseTime('-2h', NOW), NOW - 7_200_000);
  assert.equal(parseTime('-7d', NOW), NOW - 604_800_000);
  assert.equal(parseTime('2026-11-21T10:00:00+01:00', 0), NOW);
});

test('whatever else is written is no time', () => {
  for (const text of [
    '',
    '-',
    '15m',
    '-m',
    '-1w',
    '-1.5h',
    '+1h',
    '-1234567d',
    ' now',
    'NOW',
    '0',
  ]) {
    assert.equal(parseTime(text, NOW), undefined, text);
  }
});

test('every moment that is printed can be asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (at) => {
      assert.equal(parseTime(formatInstant(at), NOW), at);
    }),
  );
});

test('a time left out is its default, at the time of asking', () => {
  let now = NOW;
  const from = timeParameter(() => now, '-1h');
  assert.equal(from.parse(undefined), NOW - 3_600_000);
  now += 1_000;
  assert.equal(from.parse(undefined), NOW - 3_599_000);
});

test('a limit is a whole number within its bounds', () => {
  const limit = limitParameter(10, 100);
  assert.equal(limit.parse(undefined), 10);
  assert.equal(limit.parse('100'), 100);
  for (const text of ['0', '101', '1.5', 'ten', '', 'Infinity', '-1', ['1', '2']]) {
    assert.equal(limit.safeParse(text).success, false, String(text));
  }
});
