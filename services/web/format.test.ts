import assert from 'node:assert/strict';
import test from 'node:test';
import {
  formatClock,
  formatCores,
  formatCount,
  formatCredits,
  formatDuration,
  formatInstant,
  formatMemory,
  formatPrice,
  formatRelative,
  formatShare,
} from './format.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-11-21T10:30:00.000Z');

function expect<Value>(format: (value: Value) => string, cases: [Value, string][]): void {
  for (const [value, text] of cases) assert.equal(format(value), text, String(value));
}

test('credits keep the digits that matter, and a small cost is never shown as nothing', () => {
  expect(formatCredits, [
    ['0', '0'],
    ['0.000000000', '0'],
    ['0.000000001', '<0.0001'],
    ['-0.000000001', '−<0.0001'],
    ['0.0042', '0.0042'],
    ['0.3120004', '0.31'],
    ['1234.5', '1,234.50'],
    ['-12.4', '−12.40'],
    ['123456.789', '123,457'],
    ['not a number', '—'],
  ]);
});

test('counts are short from ten thousand on, also where rounding carries', () => {
  expect<number | null>(formatCount, [
    [null, '—'],
    [Number.NaN, '—'],
    [0, '0'],
    [0.5, '0.5'],
    [9_999, '9,999'],
    [12_480.5, '12.5k'],
    [99_949, '99.9k'],
    [99_960, '100k'],
    [999_949, '1,000k'],
    [999_950, '1.0M'],
    [3_140_000_000, '3.1G'],
  ]);
});

test('cores, memory, price and shares carry their unit', () => {
  expect(formatCores, [
    [12, '12'],
    [1234, '1,234'],
    [0.5, '0.5'],
  ]);
  expect(formatMemory, [
    [512, '512 MiB'],
    [1536, '1.5 GiB'],
    [40_960, '40 GiB'],
    [1_677_722, '1.6 TiB'],
  ]);
  assert.equal(formatPrice('1.15'), '1.15 X');
  assert.equal(formatShare(1, 3), '33 %');
  assert.equal(formatShare(1, 1000), '<1 %');
  assert.equal(formatShare(0, 10), '0 %');
  assert.equal(formatShare(5, 0), '0 %');
});

test('a duration is told in its two largest units', () => {
  expect(formatDuration, [
    [0, '0 s'],
    [59_999, '59 s'],
    [90 * SECOND, '1 min 30 s'],
    [12 * MINUTE + 30 * SECOND, '12 min'],
    [HOUR, '1 h'],
    [4 * HOUR + 12 * MINUTE, '4 h 12 min'],
    [3 * DAY + 4 * HOUR, '3 d 4 h'],
    [123 * DAY, '123 d'],
    [4000 * DAY, '11 years'],
  ]);
});

test('a relative time looks both ways and says now about the last seconds', () => {
  assert.equal(formatRelative(NOW - 4_999, NOW), 'now');
  assert.equal(formatRelative(NOW - 2 * MINUTE, NOW), '2 min ago');
  assert.equal(formatRelative(NOW + 6 * HOUR, NOW), 'in 6 h');
  assert.equal(formatRelative(Number.NaN, NOW), '—');
});

test('instants are in UTC, and an impossible one is a dash', () => {
  assert.equal(formatInstant(NOW), '2026-11-21 10:30:00 UTC');
  assert.equal(formatInstant(Number.NaN), '—');
  assert.equal(formatInstant(9e15), '—');
});

test('a time of another day carries the day', () => {
  assert.equal(formatClock(NOW, NOW), '10:30:00');
  assert.equal(formatClock(NOW - DAY, NOW), '11-20 10:30:00');
  assert.equal(formatClock(Number.NaN, NOW), '—');
});
