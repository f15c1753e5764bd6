import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/any-text.ts';
import { highlightTerms, searchTerms } from './highlight-terms.js';

test('a search is read as words, phrases and prefixes', () => {
  assert.deepEqual(searchTerms('Lost "task 7.0"  exec* "" *'), ['lost', 'task 7.0', 'exec']);
  assert.deepEqual(searchTerms('   '), []);
});

test('hits are marked in the letters of the text, the longer term first', () => {
  assert.deepEqual(highlightTerms('Lost TASK and tasks', ['task', 'tasks']), [
    { text: 'Lost ', hit: false },
    { text: 'TASK', hit: true },
    { text: ' and ', hit: false },
    { text: 'tasks', hit: true },
  ]);
});

test('the runs are the text, whatever the text and the terms', () => {
  const text = anyText({ maxLength: 300 });
  fc.assert(
    fc.property(text, fc.string({ maxLength: 40 }), (message, search) => {
      const runs = highlightTerms(message, searchTerms(search));
      assert.equal(runs.map((run) => run.text).join(''), message);
    }),
  );
});

test('a message full of hits makes a bounded number of runs', () => {
  assert.ok(highlightTerms('a b '.repeat(50_000), ['a']).length <= 202);
});

test('a letter that grows in lower case moves no mark', () => {
  assert.deepEqual(highlightTerms('İİ error', ['error']), [{ text: 'İİ error', hit: false }]);
});
