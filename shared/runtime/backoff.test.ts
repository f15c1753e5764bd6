import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { backoffMs } from './backoff.ts';

test('a wait is never longer than its cap nor than its doubling ceiling', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
      const wait = backoffMs(attempt, { baseMs: 100, capMs: 5_000, random: () => chance });
      assert.ok(wait >= 0 && wait <= 5_000 && wait <= 100 * 2 ** attempt);
    }),
  );
});

test('waits spread over the whole range, so that clients do not return together', () => {
  const wait = (chance: number) =>
    backoffMs(3, { baseMs: 100, capMs: 5_000, random: () => chance });
  assert.equal(wait(0), 0);
  assert.equal(wait(0.5), 400);
});
