import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import { AdminLink } from './admin-link.ts';

test('the link works once, and a wrong try does not use it up', () => {
  const link = new AdminLink(randomBytes, 0);
  assert.equal(Buffer.from(link.secret, 'base64url').length, 32);
  assert.equal(link.redeem(randomBytes(32).toString('base64url'), 1), false);
  assert.equal(link.redeem('', 1), false);
  assert.equal(link.redeem(link.secret, 1), true);
  assert.equal(link.redeem(link.secret, 1), false);
});

test('the link ends within the hour', () => {
  const link = new AdminLink(randomBytes, 0);
  assert.equal(link.redeem(link.secret, HOUR_MS), false);
  assert.equal(link.redeem(link.secret, HOUR_MS - 1), true);
});
