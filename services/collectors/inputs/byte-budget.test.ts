import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteBudget } from './byte-budget.ts';

test('a project that sends much leaves room for others, and gives its own back', () => {
  const budget = new ByteBudget(100);
  const hogs = Array.from({ length: 9 }, () => budget.open('hog'));
  const taken = hogs.filter((share) => share.grow(10)).length;
  assert.equal(taken, 5);
  using quiet = budget.open('quiet');
  assert.ok(quiet.grow(25));
  assert.equal(budget.held, 75);
  for (const share of hogs) share[Symbol.dispose]();
  assert.equal(budget.held, 25);
});

test('one body alone may be as large as all, and not larger', () => {
  const budget = new ByteBudget(100);
  using one = budget.open('etl');
  for (let i = 0; i < 10; i += 1) assert.ok(one.grow(10));
  assert.equal(one.grow(1), false);
  assert.equal(new ByteBudget(100).open('etl').grow(101), false);
});
