import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSeriesValues } from './series-values.ts';

const values = (text: string) => {
  const parsed = parseSeriesValues(text);
  return 'values' in parsed ? parsed.values : parsed.problem;
};

test('values are read as promtool reads them', () => {
  assert.deepEqual(values('1 2.5 -3 1e3'), [1, 2.5, -3, 1_000]);
  assert.deepEqual(values('0+10x3'), [0, 10, 20, 30]);
  assert.deepEqual(values('10-5x2 7x2'), [10, 5, 0, 7, 7, 7]);
  assert.deepEqual(values('-1+1x1'), [-1, 0]);
  assert.deepEqual(values('_ 1 _x2 stale'), ['missing', 1, 'missing', 'missing', 'stale']);
  assert.deepEqual(values('Inf -Inf NaN'), [Infinity, -Infinity, NaN]);
});

test('what is no value is named', () => {
  assert.equal(values('1 2z'), '"2z" is no value');
  assert.equal(values('1x'), '"1x" is no value');
  assert.equal(values('_y'), '"_y" is no value');
  assert.equal(values('  '), 'has no value');
  assert.equal(values('1x999999 1x2'), 'has more than 100000 values');
});
