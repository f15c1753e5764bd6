import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../runtime/clock.ts';
import { retryTransaction } from './postgres-engine.ts';

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function recordingClock(): { clock: Clock; waits: number[] } {
  const waits: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    waits.push(ms);
  };
  return { clock: { now: () => 0, elapsed: () => 0, sleep }, waits };
}

test('a transaction that others were in the way of is done again, after growing waits', async () => {
  const { clock, waits } = recordingClock();
  const errors = ['40001', '40P01', '40001'];
  const result = await retryTransaction(
    async () => {
      const code = errors.shift();
      if (code !== undefined) throw failure(code);
      return 'done';
    },
    { clock, random: () => 1 },
  );
  assert.equal(result, 'done');
  assert.deepEqual(waits, [10, 20, 40]);
});

test('it is given up as unavailable while they still are in the way', async () => {
  const { clock, waits } = recordingClock();
  const attempt = async () => {
    throw failure('40001');
  };
  await assert.rejects(retryTransaction(attempt, { clock, random: () => 1 }), {
    code: 'STORE_UNAVAILABLE',
  });
  assert.equal(waits.length, 11);
  assert.equal(Math.max(...waits), 500);
});

test('any other failure is told at once', async () => {
  const { clock, waits } = recordingClock();
  const attempt = async () => {
    throw failure('23505');
  };
  await assert.rejects(retryTransaction(attempt, { clock, random: () => 1 }), { code: '23505' });
  assert.deepEqual(waits, []);
});
