import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskSecrets } from './mask-secrets.ts';

const SECRET = 'hunter2+/abcDEF';

test('secrets of every kind are masked, and what stands around them stays', () => {
  for (const [text, expected] of [
    [`password=${SECRET} user=x`, 'password=**** user=x'],
    [`PASSWORD: ${SECRET}`, 'PASSWORD: ****'],
    [`{"clientSecret" : "${SECRET}", "a": 1}`, '{"clientSecret" : "****", "a": 1}'],
    [`spark.hadoop.fs.s3a.secret.key=${SECRET}`, 'spark.hadoop.fs.s3a.secret.key=****'],
    [
      `fs.azure.account.key.acc.dfs.core.windows.net -> ${SECRET}==)`,
      'fs.azure.account.key.acc.dfs.core.windows.net -> ****)',
    ],
    [
      `jdbc:postgresql://bob:${SECRET.replace('/', '')}@db:5432/x`,
      'jdbc:postgresql://bob:****@db:5432/x',
    ],
    ['Authorization: Bearer abcdef0123456789', 'Authorization: Bearer ****'],
    ['key AKIAIOSFODNN7EXAMPLE used', 'key **** used'],
    ['https://x/?sig=abc%2Fdef&se=1', 'https://x/?sig=****&se=1'],
    [`eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln`, '****'],
    ['token=dapi0123456789abcdef0123456789abcdef', 'token=****'],
    [
      '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nx',
      'PRIVATE KEY ****\nx',
    ],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', 'PRIVATE KEY ****'],
  ] as const) {
    assert.equal(maskSecrets(text), expected);
    assert.equal(maskSecrets(maskSecrets(text)), expected);
  }
});

test('ordinary lines are left alone', () => {
  for (const text of [
    'Running Spark version 4.1.2',
    'Finished task 0.0 in stage 1.0 (TID 3) in 20 ms',
    'http://host:4040/jobs and mail@example.org',
    'SecurityManager: authentication disabled; ui acls disabled',
    'Partition key is id',
  ]) {
    assert.equal(maskSecrets(text), text);
  }
});

test('a password of any letters is gone from any place in a line', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9+=_.-]{8,40}$/);
  const around = fc.stringMatching(/^[a-z ]{0,20}$/);
  fc.assert(
    fc.property(around, value, around, (before, secret, after) => {
      assert.ok(!maskSecrets(`${before} password=${secret} ${after}`).includes(secret));
    }),
  );
});

test('text made to slow it down takes no longer than its length', () => {
  const size = 300_000;
  for (const piece of [
    'token',
    'password ',
    'eyJ',
    'eyJ-',
    'a:',
    '://',
    '-----BEGIN PRIVATE KEY-----',
    'bearer ',
    'key.',
    'http://a:',
    '"',
    'secret=>',
  ]) {
    // Quadratic work on this would take minutes.
    maskSecrets(piece.repeat(Math.ceil(size / piece.length)));
  }
});
