import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import { LOG_SCHEMA } from './log-schema.ts';
import { holdsPhrases, matchExpression, parseTextQuery, scopeWord } from './log-words.ts';

/** The index itself, so that a query is judged by what SQLite makes of it. */
function openIndex(): { add(id: number, text: string): void; find(query: string): number[] } {
  const database = new DatabaseSync(':memory:');
  for (const script of LOG_SCHEMA.migrations) database.exec(script);
  const insert = database.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)');
  const select = database.prepare('SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid');
  return {
    add: (id, text) => {
      insert.run(id, text);
    },
    find: (query) => {
      const { words, prefixes } = parseTextQuery(query);
      return select.all(matchExpression(words, prefixes)).map(({ rowid }) => Number(rowid));
    },
  };
}

test('every letter and digit of every script is found as it is written', () => {
  const index = openIndex();
  const letter = /[\p{L}\p{N}]/u;
  const points: number[] = [];
  for (let point = 1; point < 0x30000; point += point < 0x3000 ? 1 : 37) {
    if (letter.test(String.fromCodePoint(point))) points.push(point);
  }
  for (const point of points) index.add(point, `x${String.fromCodePoint(point)}y`);
  const lost = points.filter(
    (point) => !index.find(`x${String.fromCodePoint(point)}y`).includes(point),
  );
  assert.deepEqual(lost, []);
});

for (const [what, text, query] of [
  ['a Turkish capital with its dot', 'İstanbul şube', 'İstanbul'],
  ['an accent that is a sign of its own', 'fichier cafe\u0301.txt', 'cafe\u0301'],
  ['a prefix of it', 'fichier cafe\u0301teria', 'cafe\u0301*'],
  ['Greek, whatever the form of its sigma', 'ΟΔΟΣ', 'οδοσ'],
  ['a vowel sign that is a letter only lately', 'a\u19b0b', 'a\u19b0b'],
  ['a word beside a NUL and half a surrogate pair', 'one\0two\ud800three', 'two'],
] as const) {
  test(`${what} is found`, () => {
    const index = openIndex();
    index.add(1, 'other');
    index.add(2, text);
    assert.deepEqual(index.find(query), [2]);
  });
}

test('no text is query syntax, whatever it holds', () => {
  const index = openIndex();
  index.add(1, 'plain words');
  const piece = fc.oneof(
    fc.constantFrom('"', '*', '(', ')', 'NOT', 'OR', 'NEAR(', '^', ':', '-', '{', 'text:', '\0'),
    anyText({ maxLength: 4 }),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      let query: ReturnType<typeof parseTextQuery>;
      try {
        query = parseTextQuery(pieces.join(' '));
      } catch (error) {
        assert.match(`${error}`, /too wide/);
        return;
      }
      if (query.words.length + query.prefixes.length === 0) return;
      index.find(pieces.join(' '));
    }),
    { numRuns: 300 },
  );
});

test('words, prefixes and phrases are told apart', () => {
  assert.deepEqual(parseTextQuery('Lost "Task 1.0 in" exec* lost'), {
    words: ['Lost', 'Task', '1', '0', 'in', 'lost'],
    prefixes: ['exec'],
    phrases: [['task', '1', '0', 'in']],
  });
  assert.deepEqual(parseTextQuery('a.b.Cde*'), {
    words: ['a', 'b'],
    prefixes: ['Cde'],
    phrases: [],
  });
  assert.deepEqual(parseTextQuery('"open end'), {
    words: ['open', 'end'],
    prefixes: [],
    phrases: [['open', 'end']],
  });
  assert.deepEqual(parseTextQuery(' "" * -- '), { words: [], prefixes: [], phrases: [] });
});

test('a scope cannot be asked for in a text', () => {
  assert.deepEqual(parseTextQuery(scopeWord('p', 7)).words, ['p7']);
  assert.deepEqual(parseTextQuery(`x${scopeWord('l', 5)}*`).prefixes, ['l5']);
});

test('a search that is too long, too wide or of too many words is refused with the reason', () => {
  assert.doesNotThrow(() => parseTextQuery('x'.repeat(1_000)));
  assert.throws(() => parseTextQuery('x'.repeat(1_001)), { code: 'BAD_REQUEST' });
  assert.doesNotThrow(() => parseTextQuery('ab*'));
  assert.throws(() => parseTextQuery('word a*'), {
    code: 'BAD_REQUEST',
    message: /a\* is too wide/,
  });
  const words = (count: number): string =>
    Array.from({ length: count }, (_, i) => `w${i}`).join(' ');
  assert.doesNotThrow(() => parseTextQuery(words(30)));
  assert.throws(() => parseTextQuery(words(31)), { code: 'BAD_REQUEST', message: /30 words/ });
});

test('a phrase stands word by word, case and signs between ignored', () => {
  const { phrases } = parseTextQuery('"Task 1 failed"');
  assert.ok(holdsPhrases('x: TASK-1... Failed!', phrases));
  assert.ok(!holdsPhrases('task 10 failed', phrases));
  assert.ok(!holdsPhrases('subtask 1 failed', phrases));
  assert.ok(!holdsPhrases('task 1 has failed', phrases));
  assert.ok(holdsPhrases('', []));
});
