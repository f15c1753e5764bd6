import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { AttemptLimit } from './attempt-limit.ts';

function exhausted(address: string): { limit: AttemptLimit; clock: FakeClock } {
  const clock = new FakeClock();
  const limit = new AttemptLimit(clock);
  for (let i = 0; i < 10; i += 1) {
    assert.equal(limit.waitMs(address, undefined), 0, `attempt ${i}`);
    limit.failed(address);
  }
  return { limit, clock };
}

test('after ten wrong tokens an address waits, and earns one attempt in six seconds', async () => {
  const { limit, clock } = exhausted('10.0.0.1');
  assert.equal(limit.waitMs('10.0.0.1', 'a'), 6_000);
  assert.equal(limit.waitMs('10.0.0.2', 'a'), 0, 'another address is free');
  await clock.advance(4_000);
  assert.equal(limit.waitMs('10.0.0.1', 'a'), 2_000);
  await clock.advance(2_000);
  assert.equal(limit.waitMs('10.0.0.1', 'a'), 0);
  limit.failed('10.0.0.1');
  assert.equal(limit.waitMs('10.0.0.1', 'a'), 6_000);
});

test('a token that was right from an address goes on there, whatever others do', () => {
  const clock = new FakeClock();
  const limit = new AttemptLimit(clock);
  limit.accepted('10.0.0.1', 'mine');
  for (let i = 0; i < 20; i += 1) limit.failed('10.0.0.1');
  assert.equal(limit.waitMs('10.0.0.1', 'mine'), 0);
  assert.ok(limit.waitMs('10.0.0.1', 'other') > 0);
});

test('addresses of one IPv6 network count as one, and a mapped IPv4 address as itself', () => {
  const { limit } = exhausted('2001:db8:0:7::1');
  assert.ok(limit.waitMs('2001:db8:0:7:ffff:1:2:3', undefined) > 0);
  assert.equal(limit.waitMs('2001:db8:0:8::1', undefined), 0);
  const mapped = exhausted('::ffff:10.0.0.1').limit;
  assert.ok(mapped.waitMs('10.0.0.1', undefined) > 0);
  assert.equal(mapped.waitMs('::ffff:10.0.0.2', undefined), 0);
});

test('the addresses that it remembers are bounded', () => {
  const { limit } = exhausted('10.0.0.1');
  for (let i = 0; i < 10_000; i += 1) limit.failed(`10.1.${i >> 8}.${i & 255}`);
  assert.equal(limit.waitMs('10.0.0.1', undefined), 0, 'the first one is forgotten');
});
