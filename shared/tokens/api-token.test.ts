import assert from 'node:assert/strict';
import crypto, { randomBytes } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatApiToken, hashSecret, isSecretOf, newApiToken, parseApiToken } from './api-token.ts';

test('a token survives being written and read, whatever bytes it is made of', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const token = newApiToken((size) => Buffer.from(bytes.slice(0, size)));
      const text = formatApiToken(token);
      assert.match(text, /^tg_[0-9a-f]{16}_[\w-]{43}$/);
      assert.deepEqual(parseApiToken(text), token);
      assert.ok(isSecretOf(token.secret, hashSecret(token.secret)));
    }),
  );
});

test('a secret has 256 bit of its own', () => {
  const sizes: number[] = [];
  const { id, secret } = newApiToken((size) => {
    sizes.push(size);
    return randomBytes(size);
  });
  assert.deepEqual(sizes, [8, 32]);
  assert.equal(Buffer.from(secret, 'base64url').length, 32);
  assert.doesNotMatch(secret, new RegExp(id));
});

test('what is no token is none', () => {
  const text = formatApiToken(newApiToken(randomBytes));
  for (const wrong of ['', 'tg__', `${text}x`, ` ${text}`, text.slice(0, -1), text.toUpperCase()]) {
    assert.equal(parseApiToken(wrong), undefined, wrong);
  }
});

test('another secret, and a hash that is none, are refused', () => {
  const { secret } = newApiToken(randomBytes);
  assert.equal(isSecretOf(newApiToken(randomBytes).secret, hashSecret(secret)), false);
  assert.equal(isSecretOf(secret, ''), false);
  assert.equal(isSecretOf(secret, hashSecret(secret).slice(2)), false);
});

test('secrets are compared in constant time', (t) => {
  const compare = t.mock.method(crypto, 'timingSafeEqual');
  syncBuiltinESMExports();
  try {
    isSecretOf('a', hashSecret('b'));
    assert.equal(compare.mock.callCount(), 1);
  } finally {
    compare.mock.restore();
    syncBuiltinESMExports();
  }
});
