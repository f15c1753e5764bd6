import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '../../../../shared/values/instant.ts';
import { LocalTime } from './local-time.ts';
import { TimeReader } from './time-reader.ts';

const NEVER = Number.NEGATIVE_INFINITY;

/** The wall clock that a zone shows, from the platform's own formatter. */
function wallClock(zone: string, at: number): string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return format.format(at);
}

test('what a zone shows is read back, in any zone and season', () => {
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  );
  const at = fc.integer({ min: Date.UTC(2012, 0, 1) / 1_000, max: Date.UTC(2035, 0, 1) / 1_000 });
  fc.assert(
    fc.property(zone, at, (name, second) => {
      const reader = new TimeReader(new LocalTime(name));
      const found = reader.read(wallClock(name, second * 1_000), 0);
      assert.equal(wallClock(name, found), wallClock(name, second * 1_000));
      assert.ok(Math.abs(found - second * 1_000) <= HOUR_MS);
    }),
    { numRuns: 200 },
  );
});

test('the hour that comes twice in autumn is told apart by the lines before', () => {
  const reader = new TimeReader(new LocalTime('Europe/Berlin'));
  const read = (clock: string): number => reader.read(`26/10/25 ${clock}`, 0);
  const first = read('02:30:00');
  assert.equal(first, Date.UTC(2026, 9, 25, 0, 30));
  assert.equal(read('02:59:59'), Date.UTC(2026, 9, 25, 0, 59, 59));
  assert.equal(read('02:00:00'), Date.UTC(2026, 9, 25, 1, 0));
  assert.equal(read('02:30:00'), Date.UTC(2026, 9, 25, 1, 30));
  assert.equal(read('03:00:00'), Date.UTC(2026, 9, 25, 2, 0));
});

test('a time that spring skips is taken by the offset before', () => {
  const local = Date.UTC(2026, 2, 29, 2, 30);
  assert.equal(
    new LocalTime('Europe/Berlin').toInstant(local, NEVER),
    Date.UTC(2026, 2, 29, 1, 30),
  );
});

test('an unknown zone is refused', () => {
  assert.throws(() => new LocalTime('Mars/Olympus'), RangeError);
});
