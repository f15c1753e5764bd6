import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import { LOG_LEVELS } from '../../contracts/log-record.ts';
import type { ProjectId } from '../../values/project-id.ts';
import { logFilter, parseCursor, printCursor } from './log-query-body.ts';

const ETL = 'etl' as ProjectId;
const SPAN = { from: 10, until: 20, limit: 5 };

function clauses(query: object): unknown[] {
  const { bool } = logFilter(ETL, { ...SPAN, ...query }) as { bool: { filter: unknown[] } };
  return bool.filter;
}

test('project and half-open span are always asked for', () => {
  assert.deepEqual(clauses({}), [
    { term: { project: 'etl' } },
    { range: { at: { gte: 10, lt: 20 } } },
  ]);
});

test('a text becomes words, prefixes and phrases in lower case', () => {
  const analyzer = 'whitespace';
  assert.deepEqual(clauses({ text: 'Alpha b.Cd* "X y"' }).slice(2), [
    ...['alpha', 'b', 'x', 'y'].map((query) => ({
      match: { words: { query, operator: 'and', analyzer } },
    })),
    { prefix: { words: { value: 'cd' } } },
    { match_phrase: { words: { query: 'x y', analyzer } } },
  ]);
});

test('a lowest level asks for it and all above', () => {
  assert.deepEqual(clauses({ minLevel: 'WARN' }).at(-1), {
    terms: { level: ['WARN', 'ERROR', 'FATAL'] },
  });
  assert.deepEqual(clauses({ minLevel: 'UNKNOWN' }).at(-1), { terms: { level: [...LOG_LEVELS] } });
});

test('no text brings another clause than words', () => {
  fc.assert(
    fc.property(anyText({ maxLength: 60 }), (text) => {
      let found: unknown[];
      try {
        found = clauses({ text }).slice(2);
      } catch {
        return;
      }
      for (const clause of found) {
        const [kind = ''] = Object.keys(clause as object);
        assert.ok(['match', 'prefix', 'match_phrase'].includes(kind), kind);
      }
    }),
  );
});

test('a cursor leads back to its place', () => {
  fc.assert(
    fc.property(fc.integer(), fc.stringMatching(/^[!-~]{1,60}$/), (at, order) => {
      const cursor = printCursor(ETL, SPAN, { at, order });
      assert.deepEqual(parseCursor(ETL, { ...SPAN, limit: 9, cursor }), { at, order });
    }),
  );
});

test('the span of a search may move between two pages', () => {
  const cursor = printCursor(ETL, SPAN, { at: 1, order: 'x' });
  const moved = { ...SPAN, from: SPAN.from + 1, until: SPAN.until + 1, cursor };
  assert.deepEqual(parseCursor(ETL, moved), { at: 1, order: 'x' });
});

test('a cursor of another query, project or hand is refused', () => {
  const cursor = printCursor(ETL, SPAN, { at: 1, order: 'x' });
  const other = 'billing' as ProjectId;
  for (const [project, query] of [
    [other, { ...SPAN, cursor }],
    [ETL, { ...SPAN, text: 'x', cursor }],
    [ETL, { ...SPAN, cursor: '../x' }],
    [ETL, { ...SPAN, cursor: '' }],
  ] as const) {
    assert.throws(() => parseCursor(project, query), { code: 'BAD_REQUEST' });
  }
});
