import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xxhash32 } from './xxhash32.ts';

// From the xxHash project's own checks and, for 'abc', from its specification's users.
test('published values of XXH32 come out', () => {
  assert.equal(xxhash32(Buffer.alloc(0), 0), 0x02cc5d05);
  assert.equal(xxhash32(Buffer.from('a'), 0), 0x550d7456);
  assert.equal(xxhash32(Buffer.from('abc'), 0), 0x32d153ff);
  assert.equal(xxhash32(Buffer.from('Nobody inspects the spammish repetition'), 0), 0xe2293b2f);
});

test('bytes inside a larger buffer hash as the same bytes alone', () => {
  const whole = Buffer.from('....Nobody inspects the spammish repetition....');
  assert.equal(xxhash32(whole.subarray(4, whole.length - 4), 0), 0xe2293b2f);
});
