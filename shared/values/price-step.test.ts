import assert from 'node:assert/strict';
import test from 'node:test';
import { BASE_STEP, formatPriceStep } from './price-step.ts';

test('a step is read as people say it', () => {
  assert.equal(formatPriceStep(BASE_STEP), '1.00 X');
  assert.equal(formatPriceStep(1_150), '1.15 X');
  assert.equal(formatPriceStep(950), '0.95 X');
});
