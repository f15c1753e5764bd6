import assert from 'node:assert/strict';
import test from 'node:test';
import { balanceEnd } from './balance-end.js';

const asOf = '2026-11-21T10:00:00.000Z';
const balance = { unlimited: false, balance: '50', burnPerHour: '25', asOf };

test('a balance ends when what runs now has used it up, counted from its evidence', () => {
  const atMs = Date.parse('2026-11-21T12:00:00.000Z');
  assert.deepEqual(balanceEnd(balance), { kind: 'ends', atMs });
});

test('a balance at or below zero is exhausted, whatever still runs', () => {
  assert.deepEqual(balanceEnd({ ...balance, balance: '0' }), { kind: 'exhausted' });
  assert.deepEqual(balanceEnd({ ...balance, balance: '-0.000000001' }), { kind: 'exhausted' });
});

test('without use it stays, and without a grant there is no limit', () => {
  assert.deepEqual(balanceEnd({ ...balance, burnPerHour: '0' }), { kind: 'steady' });
  assert.deepEqual(balanceEnd({ ...balance, unlimited: true, balance: '-5' }), {
    kind: 'no-grant',
  });
});
