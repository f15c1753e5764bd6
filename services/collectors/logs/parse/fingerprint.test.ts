import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../../test/support/any-text.ts';
import { fingerprint } from './fingerprint.ts';

test('repeats that differ in numbers, ids, paths and quoted text share a fingerprint', () => {
  for (const [a, b] of [
    [
      'Finished task 0.0 in stage 1.0 (TID 3) in 20 ms',
      'Finished task 17.2 in stage 33.1 (TID 99) in 1234 ms',
    ],
    ['Lost executor 3 on 10.0.0.1: lost', 'Lost executor 12 on 192.168.7.33: lost'],
    ['Deleting /tmp/spark-a/b', 'Deleting /srv/x/y-9/z'],
    ["Path 'a b' is empty", "Path 'another one' is empty"],
    ['id = 962ef190-1497-4e0b-b660-a42d789c9ca2', 'id = 7215d387-9eab-4295-b5d6-ad0c9097a726'],
    [
      'Started o.s.j.s.ServletContextHandler@7259d943',
      'Started o.s.j.s.ServletContextHandler@1739bd2a',
    ],
    ['values 1, 2, 3', 'values 4, 5'],
    ['failed\n\tat a', 'failed\n\tat b'],
  ] as const) {
    assert.equal(fingerprint(a), fingerprint(b), a);
  }
});

test('different templates have different fingerprints', () => {
  const templates = [
    '',
    'a',
    'b',
    'a b',
    'b a',
    'Lost task 1',
    'Lost stage 1',
    'Lost 1 task',
    "don't",
    'do not',
    'x=1',
    'x: 1',
    'x /a',
  ];
  assert.equal(new Set(templates.map(fingerprint)).size, templates.length);
});

test('a fingerprint is 16 hex digits, whatever the message', () => {
  fc.assert(
    fc.property(anyText({ maxLength: 200 }), (message) => {
      assert.match(fingerprint(message), /^[0-9a-f]{16}$/);
      assert.equal(fingerprint(message), fingerprint(message));
    }),
  );
});

test('words alone make the fingerprint: any two numbers in their place change nothing', () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(word, word, fc.nat(), fc.nat(), (a, b, n, m) => {
      assert.equal(fingerprint(`${a} ${n} ${b}`), fingerprint(`${a} ${m} ${b}`));
    }),
  );
});
