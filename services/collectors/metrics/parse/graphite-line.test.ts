import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGraphiteLine } from './graphite-line.ts';

test('reads blanks in runs, signs, exponents and fractions of a second', () => {
  const cases: readonly [string, number, number][] = [
    ['a.b 1 5', 1, 5000],
    ['  a.b \t -1.50   5.25 \r', -1.5, 5250],
    ['a.b +1.5e3 5', 1500, 5000],
    ['a.b .5 5', 0.5, 5000],
    ['a.b 9007199254740993 99999999999', 9007199254740992, 99_999_999_999_000],
  ];
  for (const [line, value, at] of cases) {
    assert.deepEqual(parseGraphiteLine(line), { fate: 'kept', record: { name: 'a.b', value, at } });
  }
});

test('drops what is no number, whoever wrote it', () => {
  for (const value of ['NaN', 'Infinity', '-Infinity', 'nan', '-inf', '1e999']) {
    assert.deepEqual(parseGraphiteLine(`a.b ${value} 5`), {
      fate: 'dropped',
      reason: 'not-a-number',
    });
  }
});

test('quarantines what has another form, as it came', () => {
  for (const line of [
    '',
    'a',
    'a 1',
    'a 1 2 3',
    'a x 1',
    'a 1 -1',
    'a 1 1e3',
    'a 0x10 1',
    'a 1 123456789012',
  ]) {
    assert.deepEqual(parseGraphiteLine(line), {
      fate: 'quarantined',
      reason: 'malformed-line',
      raw: line,
    });
  }
});
