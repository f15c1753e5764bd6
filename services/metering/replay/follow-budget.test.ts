import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { followBudget } from './follow-budget.ts';

const window = { start: T0, end: T0 + 6 * HOUR_MS };
const hour = (n: number): number => T0 + n * HOUR_MS;
const hours = (...amounts: bigint[]) => new Map(amounts.map((amount, n) => [hour(n), amount]));

test('a balance of zero refuses from the end of its hour on', () => {
  const course = followBudget(10n, [], hours(4n, 4n, 2n, 1n), window);
  assert.deepEqual(course, {
    exhaustedAt: hour(3),
    lowest: -1n,
    refusing: [{ start: hour(3), end: window.end }],
  });
});

test('credits that are enough refuse nothing', () => {
  const course = followBudget(12n, [], hours(4n, 4n, 2n, 1n), window);
  assert.deepEqual(course, { exhaustedAt: undefined, lowest: 1n, refusing: [] });
});

test('what is used up in the last hour is exhausted and refuses nobody', () => {
  const course = followBudget(6n, [], hours(1n, 1n, 1n, 1n, 1n, 1n), window);
  assert.deepEqual(course, { exhaustedAt: window.end, lowest: 0n, refusing: [] });
});

test('credits that come as the last ones end refuse nobody', () => {
  const grant = { at: hour(2), credits: 5n, replaces: false };
  const course = followBudget(2n, [grant], hours(1n, 1n, 1n), window);
  assert.deepEqual(course, { exhaustedAt: undefined, lowest: 0n, refusing: [] });
});

test('who begins with nothing is refused at once', () => {
  const { refusing } = followBudget(0n, [], new Map(), window);
  assert.deepEqual(refusing, [window]);
});

test('what is granted ends the refusals, and what renews forgets what was owed', () => {
  const grant = { at: hour(3) + 7, credits: 5n, replaces: false };
  const granted = followBudget(3n, [grant], hours(4n, 0n, 0n, 1n, 3n), window);
  assert.deepEqual(granted.refusing, [
    { start: hour(1), end: hour(3) },
    { start: hour(5), end: window.end },
  ]);
  const renewal = { at: hour(3), credits: 5n, replaces: true };
  const renewed = followBudget(3n, [renewal], hours(400n, 0n, 0n, 1n, 3n), window);
  assert.deepEqual(renewed.refusing, [{ start: hour(1), end: hour(3) }]);
  assert.equal(renewed.lowest, -397n);
});

test('a larger budget is never exhausted earlier', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt(0n, 9n), { maxLength: 6 }),
      fc.bigInt(0n, 40n),
      fc.bigInt(0n, 9n),
      (amounts, opening, more) => {
        const less = followBudget(opening, [], hours(...amounts), window);
        const larger = followBudget(opening + more, [], hours(...amounts), window);
        const at = (course: typeof less) => course.exhaustedAt ?? Number.POSITIVE_INFINITY;
        assert.ok(at(larger) >= at(less));
        assert.equal(larger.lowest, less.lowest + more);
      },
    ),
  );
});
