import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cookieName, credentialOf } from './credential.ts';

const NAME = cookieName(true);

test('a token comes in the header, in any spelling of its scheme', () => {
  for (const authorization of ['Bearer abc', 'bearer abc', 'BEARER   abc ']) {
    assert.deepEqual(credentialOf({ authorization }, NAME), { from: 'header', text: 'abc' });
  }
});

test('a header that is no bearer token is a wrong token, never a missing one', () => {
  for (const authorization of ['', 'Basic YTpi', 'Bearer', 'Bearer a b', 'Bearer\tx']) {
    const cookie = `${NAME}=good`;
    assert.deepEqual(credentialOf({ authorization, cookie }, NAME), { from: 'header', text: '' });
  }
});

test('a cookie is found among others, and one of another name is not it', () => {
  const cookie = `x=1; ${NAME}=abc; y=2`;
  assert.deepEqual(credentialOf({ cookie }, NAME), { from: 'cookie', text: 'abc' });
  assert.equal(credentialOf({ cookie: `x${NAME}=abc; tollgate=abc` }, NAME), undefined);
  assert.equal(credentialOf({}, NAME), undefined);
});

test('with TLS the name of the cookie binds it to this host', () => {
  assert.match(cookieName(true), /^__Host-/);
  assert.doesNotMatch(cookieName(false), /^__/, 'browsers refuse the prefix without TLS');
});

test('what is much longer than a token is not read', () => {
  const authorization = `Bearer ${'x'.repeat(100_000)}`;
  assert.ok((credentialOf({ authorization }, NAME)?.text.length ?? 0) <= 200);
});
