import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PRICE_RULE, type PriceRule } from './price-rule.ts';
import { priceRuleProblems } from './price-rule-problems.ts';

const members = (over: Partial<PriceRule>): string[] =>
  priceRuleProblems({ ...DEFAULT_PRICE_RULE, ...over }).map(({ member }) => member);

test('the default rule may be used, with a discount and when frozen too', () => {
  assert.deepEqual(members({}), []);
  assert.deepEqual(members({ floor: 700, frozen: true }), []);
});

test('a member outside what it may be is named', () => {
  assert.deepEqual(members({ knee: 1, quiet: 0.3 }), ['knee']);
  assert.deepEqual(members({ knee: 0 }), ['knee', 'quiet']);
  assert.deepEqual(members({ floor: 1_050 }), ['floor']);
  assert.deepEqual(members({ cap: 950, floor: 1_000 }), ['floor', 'cap']);
  assert.deepEqual(members({ cap: 1_030 }), ['cap']);
  assert.deepEqual(members({ moveMax: 0 }), ['moveMax']);
  assert.deepEqual(members({ riseFactor: 1, fallFactor: 0 }), ['riseFactor', 'fallFactor']);
  assert.deepEqual(members({ slope: -1 }), ['slope']);
  assert.deepEqual(members({ noticeMs: 59_999 }), ['noticeMs']);
  assert.deepEqual(members({ holdMs: 30_000 }), ['holdMs']);
  assert.deepEqual(members({ lostMs: 60_000 }), ['lostMs']);
  assert.deepEqual(members({ pendingAgeMs: 0, pendingCap: 3 }), ['pendingCap', 'pendingAgeMs']);
});

test('a discount that begins where the price rises is refused', () => {
  assert.deepEqual(members({ quiet: 0.6, knee: 0.6 }), []);
  assert.deepEqual(members({ quiet: 0.65, knee: 0.6 }), ['quiet']);
});

test('numbers that are none are refused, not compared', () => {
  assert.deepEqual(members({ knee: Number.NaN }), ['knee', 'quiet']);
  assert.deepEqual(members({ slope: Number.NaN, cap: Number.NaN }), ['cap', 'slope']);
});

test('a rule that outruns the load it answers to is refused, saying by how much', () => {
  const [problem] = priceRuleProblems({ ...DEFAULT_PRICE_RULE, holdMs: 60_000 });
  assert.equal(problem?.member, 'holdMs');
  assert.match(problem.message, /move by 0\.50 before its first move is felt, after 275 s/);
  assert.deepEqual(members({ moveMax: 500 }), ['holdMs']);
  assert.deepEqual(members({ moveMax: 200 }), ['holdMs']);
  // Slower, gentler, or with so little room that it cannot go far.
  assert.deepEqual(members({ holdMs: 60_000, slope: 0.5 }), []);
  assert.deepEqual(members({ holdMs: 150_000, moveMax: 50 }), []);
  assert.deepEqual(members({ moveMax: 500, cap: 1_150 }), []);
});

test('all problems are told at once', () => {
  assert.deepEqual(members({ knee: 2, quiet: 0, floor: 3_050, moveMax: 10 }), [
    'moveMax',
    'knee',
    'quiet',
    'moveMax',
    'floor',
    'floor',
  ]);
});
