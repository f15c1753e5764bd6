import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { HOUR_MS, utcHour } from './instant.ts';
import { cutAtUtcHours, intersect, lengthMs } from './interval.ts';

const instants = fc.integer({ min: -(10 ** 12), max: 4 * 10 ** 12 });

test('pieces between hours join without gap and add up to the whole', () => {
  fc.assert(
    fc.property(instants, fc.integer({ min: 0, max: 100 * HOUR_MS }), (start, length) => {
      const pieces = cutAtUtcHours({ start, end: start + length });
      let at = start;
      for (const piece of pieces) {
        assert.equal(piece.start, at);
        assert.ok(piece.end > piece.start);
        assert.equal(utcHour(piece.start), utcHour(piece.end - 1));
        at = piece.end;
      }
      assert.equal(at, start + length);
    }),
  );
});

test('an end on the hour makes no empty piece', () => {
  assert.deepEqual(cutAtUtcHours({ start: 0, end: HOUR_MS }), [{ start: 0, end: HOUR_MS }]);
});

test('an inverted interval is empty, never negative', () => {
  assert.equal(lengthMs({ start: 5, end: 3 }), 0);
  assert.deepEqual(cutAtUtcHours({ start: 5, end: 3 }), []);
});

test('intervals that only touch share nothing', () => {
  assert.equal(intersect({ start: 0, end: 5 }, { start: 5, end: 9 }), undefined);
  assert.deepEqual(intersect({ start: 0, end: 6 }, { start: 5, end: 9 }), { start: 5, end: 6 });
});
