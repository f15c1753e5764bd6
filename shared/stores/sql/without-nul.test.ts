import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutNul } from './without-nul.ts';

test('a NUL becomes U+FFFD at any depth, in keys too', () => {
  const nested = { 'a\0': ['x\0y', { b: '\0' }], n: 1, none: null, missing: undefined };
  assert.deepEqual(withoutNul(nested), {
    'a\ufffd': ['x\ufffdy', { b: '\ufffd' }],
    n: 1,
    none: null,
    missing: undefined,
  });
});

test('what holds no NUL is the same object, bytes and dates included', () => {
  const plain = { a: ['x', { b: 'y' }], bytes: Buffer.from('\0'), when: new Date(0) };
  assert.equal(withoutNul(plain), plain);
  const hostile = JSON.parse('{"__proto__":"x\\u0000"}') as object;
  assert.deepEqual(Object.entries(withoutNul(hostile)), [['__proto__', 'x\ufffd']]);
});
