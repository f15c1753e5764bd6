import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFAULT_RATE_CARD, parseRateCard } from './rate-card.ts';

test('a card written in decimal credits is read exactly', () => {
  assert.deepEqual(
    parseRateCard({ id: 'default', coreSecond: '0.0009', gibSecond: '0.0001', gpuSecond: '0.02' }),
    DEFAULT_RATE_CARD,
  );
});

test('all problems of a card are told at once', () => {
  const card = parseRateCard({ id: 'x', coreSecond: '-1', gibSecond: 'free', gpuSecond: '1' });
  assert.ok('problems' in card);
  assert.equal(card.problems.length, 2);
});
