import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from './printable.ts';
import { stepLine } from './step-line.ts';
import { table } from './table.ts';

const SCALE = { floor: 1, ceiling: 2 };

test('a line holds each value until the next begins', () => {
  const points = [
    { start: 0, value: 1 },
    { start: 50, value: 2 },
  ];
  assert.equal(stepLine(points, { from: 0, until: 100 }, SCALE, 10), '▁▁▁▁██████');
});

test('before the first value there is nothing, and beyond the scale its ends', () => {
  const points = [
    { start: 50, value: 9 },
    { start: 80, value: 0 },
  ];
  assert.equal(stepLine(points, { from: 0, until: 100 }, SCALE, 5), '  █▁▁');
  assert.equal(stepLine([], { from: 0, until: 100 }, SCALE, 3), '   ');
  const flat = { floor: 1, ceiling: 1 };
  assert.equal(stepLine([{ start: 0, value: 1 }], { from: 0, until: 9 }, flat, 2), '▁▁');
});

test('text of tenants reaches a terminal without control or direction characters', () => {
  const hostile = 'a\u0000\u001b[2J\u007f\u0085\u202e\u2066b\tc\nd';
  const shown = printable(hostile);
  assert.equal(shown, 'a\\u0000\\u001b[2J\\u007f\\u0085\\u202e\\u2066b\tc\nd');
});

test('a table aligns its columns and keeps a row on its line', () => {
  const text = table(
    [{ title: 'NAME' }, { title: 'N', align: 'right' }],
    [
      ['etl\nx', '1'],
      ['a', '100'],
    ],
  );
  assert.equal(text, 'NAME     N\netl x    1\na      100');
});
