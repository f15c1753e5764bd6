import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wordsOf } from '../sql/log-words.ts';
import { foldCase, searchedWords } from './elastic-words.ts';

test('signs part words, and case is gone', () => {
  assert.equal(
    searchedWords('ERROR: org.apache.FetchFailed in task_07 of Größe').trim(),
    'error org apache fetchfailed in task 07 of größe',
  );
});

test('a sigma is one letter, wherever it stands', () => {
  assert.equal(searchedWords('ΟΔΟΣ'), foldCase('οδοσ'));
  assert.equal(searchedWords('ΟΔΟΣ'), searchedWords('οδος'));
});

test('the short way of ASCII finds the same words as the long one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
      assert.deepEqual(
        searchedWords(text)
          .split(' ')
          .filter((one) => one !== ''),
        wordsOf(text).map(foldCase),
      );
    }),
  );
});

test('what the other adapter uses for itself is no part of a word', () => {
  assert.equal(searchedWords('a\ue000b ä'), 'a b ä');
});

test('ASCII text of any length has the words that the expression finds', () => {
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 300 });
  fc.assert(
    fc.property(ascii, fc.constantFrom(1, 40), (text, times) => {
      const long = text.repeat(times);
      assert.equal(searchedWords(long), long.toLowerCase().replace(/[^a-z0-9]+/g, ' '));
    }),
  );
});
