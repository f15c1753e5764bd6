import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { compileIntervals, timeInterval } from './time-interval.ts';

const isIn = (input: z.input<typeof timeInterval>, at: string): boolean =>
  compileIntervals([timeInterval.parse(input)])(Date.parse(at));

test('times of day are of the place, half-open, and follow its summer time', () => {
  const office = {
    times: [{ start_time: '09:00', end_time: '17:00' }],
    location: 'Europe/Vienna',
  };
  assert.ok(!isIn(office, '2026-11-20T07:59:59Z'));
  assert.ok(isIn(office, '2026-11-20T08:00:00Z'));
  assert.ok(isIn(office, '2026-11-20T15:59:59Z'));
  assert.ok(!isIn(office, '2026-11-20T16:00:00Z'));
  assert.ok(isIn(office, '2026-07-20T07:00:00Z'), 'in summer an hour before');
  const night = { times: [{ start_time: '00:00', end_time: '24:00' }] };
  assert.ok(isIn(night, '2026-07-20T23:59:59Z'));
});

test('weekdays, days from both ends of a month, months and years', () => {
  const workdays = { weekdays: ['monday:friday'] };
  assert.ok(isIn(workdays, '2026-11-20T12:00:00Z'), 'a Friday');
  assert.ok(!isIn(workdays, '2026-11-21T12:00:00Z'));
  assert.ok(isIn({ weekdays: ['Sunday', 'saturday'] }, '2026-11-22T12:00:00Z'));
  const close = { days_of_month: ['1:3', '-2:-1'] };
  assert.ok(isIn(close, '2026-11-03T12:00:00Z'));
  assert.ok(!isIn(close, '2026-11-04T12:00:00Z'));
  assert.ok(isIn(close, '2028-02-28T12:00:00Z'), 'a leap year');
  assert.ok(!isIn(close, '2028-02-27T12:00:00Z'));
  assert.ok(isIn({ days_of_month: ['28:-1'] }, '2026-11-30T12:00:00Z'));
  assert.ok(isIn({ months: ['november', 1], years: ['2026:2027'] }, '2026-11-30T12:00:00Z'));
  assert.ok(!isIn({ months: ['november', 1], years: ['2027'] }, '2026-11-30T12:00:00Z'));
  assert.ok(!isIn({ months: ['january:march'] }, '2026-11-30T12:00:00Z'));
});

test('what is no span of time is refused', () => {
  for (const input of [
    { weekdays: ['someday'] },
    { weekdays: ['3'] },
    { weekdays: ['friday:monday'] },
    { days_of_month: ['0'] },
    { days_of_month: ['32'] },
    { months: ['13'] },
    { months: ['1:2:3'] },
    { years: ['26'] },
    { times: [{ start_time: '9:00', end_time: '10:00' }] },
    { times: [{ start_time: '22:00', end_time: '06:00' }] },
    { location: 'Middle/Earth' },
    { hours: [1] },
  ]) {
    assert.equal(timeInterval.safeParse(input).success, false, JSON.stringify(input));
  }
});
