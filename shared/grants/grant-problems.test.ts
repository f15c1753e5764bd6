import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterHours, aGivenGrant, G0 } from '../../test/support/grant-builders.ts';
import { GRANT_MAX, grantProblems } from './grant-problems.ts';
import type { GrantTerms } from './grant-terms.ts';

const problems = (amount: bigint, terms?: Partial<GrantTerms>, reason = 'why') =>
  grantProblems({ ...aGivenGrant('g', amount, terms), reason }, G0).map(({ path }) => path);

test('a grant that makes sense has no problem', () => {
  assert.deepEqual(problems(5n), []);
  assert.deepEqual(problems(-5n), []);
  assert.deepEqual(problems(GRANT_MAX, { expiresAt: afterHours(1), priority: 1_000 }), []);
  const monthly = { min: 0n, max: 9n };
  assert.deepEqual(problems(5n, { validFrom: Date.UTC(2026, 10, 1), monthly }), []);
});

test('all that is wrong with a grant is said at once', () => {
  assert.deepEqual(problems(GRANT_MAX + 1n, { expiresAt: G0 - 1, priority: 0.5 }), [
    'credits',
    'expiresAt',
    'expiresAt',
    'priority',
  ]);
  assert.deepEqual(problems(-1n, { expiresAt: afterHours(2) }, ' '), ['reason', 'expiresAt']);
  const monthly = { min: 5n, max: GRANT_MAX };
  const validFrom = Date.UTC(2026, 10, 2);
  assert.deepEqual(problems(1n, { validFrom, monthly }), ['credits', 'validFrom']);
  const ages = { validFrom: Date.UTC(1970, 0, 1), monthly: { min: 2n, max: 1n } };
  assert.deepEqual(problems(1n, ages), ['rollover', 'validFrom']);
  assert.deepEqual(problems(1n, { expiresAt: Date.UTC(9000, 0, 1) }), ['expiresAt']);
});
