import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventMonth, monthNumber } from './event-month.ts';

test('a month holds its first instant and not the first one of the next', () => {
  const november = {
    number: 202611,
    from: Date.UTC(2026, 10),
    until: Date.UTC(2026, 11),
  };
  assert.deepEqual(eventMonth(Date.UTC(2026, 10)), november);
  assert.deepEqual(eventMonth(Date.UTC(2026, 11) - 1), november);
  assert.equal(monthNumber(Date.UTC(2026, 11)), 202612);
  assert.equal(monthNumber(Date.UTC(2027, 0)), 202701);
});

test('what lies far off shares one month at either end', () => {
  assert.deepEqual(eventMonth(0), { number: 0, from: undefined, until: Date.UTC(2010, 0) });
  assert.equal(monthNumber(Date.UTC(2009, 11, 31)), 0);
  assert.equal(monthNumber(Date.UTC(2010, 0)), 201001);
  assert.equal(monthNumber(Date.UTC(2100, 0)), 999_999);
  assert.equal(monthNumber(Number.MIN_SAFE_INTEGER), 0);
  assert.equal(monthNumber(Number.POSITIVE_INFINITY), 999_999);
});

test('months rise with time, meet without gap, and hold what they are named for', () => {
  fc.assert(
    fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.nat(4e9), (at, more) => {
      const month = eventMonth(at);
      assert.ok((month.from ?? -Infinity) <= at && at < (month.until ?? Infinity));
      if (month.until !== undefined) assert.equal(eventMonth(month.until).from, month.until);
      assert.ok(monthNumber(at) <= monthNumber(at + more));
    }),
  );
});
