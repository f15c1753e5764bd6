import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeText } from './decode-text.ts';

const TEXT = '{"message":"café"}\n';

test('a mark at the beginning tells the encoding, and is no part of the text', () => {
  const little = Buffer.from(`\ufeff${TEXT}`, 'utf16le');
  assert.equal(decodeText(Buffer.from(TEXT)), TEXT);
  assert.equal(decodeText(Buffer.from(`\ufeff${TEXT}`)), TEXT);
  assert.equal(decodeText(little), TEXT);
  assert.equal(decodeText(Buffer.from(little).swap16()), TEXT);
});

test('bytes that are no UTF-8 become replacement characters, so that the rest is read', () => {
  assert.equal(decodeText(Buffer.from('a\xe9b', 'latin1')), 'a\ufffdb');
});
