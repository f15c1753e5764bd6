import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalTags } from './canonical-tags.ts';

test('tags have one text whatever their order, hostile keys included', () => {
  assert.equal(canonicalTags({ b: '2', a: '"1"' }), canonicalTags({ a: '"1"', b: '2' }));
  const hostile = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
  assert.equal(canonicalTags(hostile), '{"__proto__":"x"}');
  assert.equal(canonicalTags({}), '{}');
});
