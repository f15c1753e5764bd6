import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WITNESSES } from '../contracts/container-fact.ts';
import { mostTrusted } from './witness-trust.ts';

test('facts of the most trusted witness are kept, in their order', () => {
  const facts = ['yarn', 'event-log', 'standalone', 'event-log'] as const;
  const kept = mostTrusted(facts.map((witness, i) => ({ witness, i })));
  assert.deepEqual(
    kept.map(({ i }) => i),
    [1, 3],
  );
  assert.deepEqual(mostTrusted([]), []);
});

test('every witness has a place in the order', () => {
  for (const witness of WITNESSES) assert.equal(mostTrusted([{ witness }]).length, 1);
});
