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

test('a card has a rule and a minimum where they are written', () => {
  const written = { id: 'x', coreSecond: '1', gibSecond: '0', gpuSecond: '0' };
  const rates = { id: 'x', coreSecond: 1_000_000_000n, gibSecond: 0n, gpuSecond: 0n };
  const dominant = { ...written, rule: 'dominant' as const, minimum: '0.5' };
  assert.deepEqual(parseRateCard(dominant), { ...rates, rule: 'dominant', minimum: 500_000_000n });
  assert.deepEqual(parseRateCard({ ...written, rule: 'additive', minimum: '0' }), rates);
  const wrong = parseRateCard({ ...written, gpuSecond: '?', minimum: '-1' });
  assert.deepEqual('problems' in wrong && wrong.problems.length, 2);
});
