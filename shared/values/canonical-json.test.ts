import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';

test('values that differ only in the order of keys have one text', () => {
  assert.equal(canonicalJson({ b: 1, a: { d: [2], c: 'x' } }), '{"a":{"c":"x","d":[2]},"b":1}');
  assert.equal(canonicalJson({ a: { c: 'x', d: [2] }, b: 1 }), '{"a":{"c":"x","d":[2]},"b":1}');
});

test('the text reads back as the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read: unknown = JSON.parse(JSON.stringify(value));
      assert.deepEqual(JSON.parse(canonicalJson(value)), read);
    }),
  );
});

test('a key named __proto__ is kept like any other', () => {
  const hostile: unknown = JSON.parse('{"__proto__":"x","a":1}');
  assert.equal(canonicalJson(hostile), '{"__proto__":"x","a":1}');
});

test('what is undefined is left out', () => {
  assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

test('half a surrogate pair is what a column of text makes of it, in names and values', () => {
  assert.equal(canonicalJson({ 'a\ud800': ['\udfff', '🙂'] }), '{"a\ufffd":["\ufffd","🙂"]}');
});
