import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS } from './instant.ts';
import { monthEnd, monthOf, monthStart, parseMonth } from './month.ts';

test('an instant lies in exactly one month, whose end is the start of the next', () => {
  const instant = fc.integer({ min: 0, max: Date.UTC(9998, 11, 31) });
  fc.assert(
    fc.property(instant, (at) => {
      const month = monthOf(at);
      assert.equal(parseMonth(month), month);
      assert.ok(monthStart(month) <= at && at < monthEnd(month));
      assert.equal(monthOf(monthEnd(month) - 1), month);
      assert.ok(monthOf(monthEnd(month)) > month);
    }),
  );
});

test('lengths come from the calendar', () => {
  const days = (month: string) => (monthEnd(month) - monthStart(month)) / DAY_MS;
  assert.deepEqual(['2026-02', '2028-02', '2026-12', '2026-11'].map(days), [28, 29, 31, 30]);
});

test('what is no month is none', () => {
  for (const text of [
    '2026-00',
    '2026-13',
    '2026-1',
    '202610',
    '1969-12',
    '9999-01',
    '2026-10-01',
    '',
  ])
    assert.equal(parseMonth(text), undefined, text);
});
