import { hash } from 'node:crypto';
import { LOG_LEVELS } from '../../contracts/log-record.ts';
import { AppError } from '../../errors/app-error.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { LogQuery } from '../log-store.ts';
import { parseTextQuery } from '../sql/log-words.ts';
import { foldCase } from './elastic-words.ts';

/** A clause of Elasticsearch's query language, built here alone: users give words, never syntax. */
export type Clause = Readonly<Record<string, unknown>>;

function word(text: string): Clause {
  // A word longer than the index's longest is several there, and the analyzer parts it likewise.
  return { match: { words: { query: foldCase(text), operator: 'and', analyzer: 'whitespace' } } };
}

function phrase(words: readonly string[]): Clause {
  return { match_phrase: { words: { query: foldCase(words.join(' ')), analyzer: 'whitespace' } } };
}

function textClauses(text: string): Clause[] {
  const { words, prefixes, phrases } = parseTextQuery(text);
  return [
    ...words.map(word),
    ...prefixes.map((prefix) => ({ prefix: { words: { value: foldCase(prefix) } } })),
    ...phrases.map(phrase),
  ];
}

/**
 * What a project's records must fulfil. The project is a filter whatever the index is: small ones
 * share indices.
 *
 * @throws AppError BAD_REQUEST when the text is too long or too wide
 */
export function logFilter(project: ProjectId, query: Omit<LogQuery, 'limit' | 'cursor'>): Clause {
  const { from, until, text, minLevel, application, container, fingerprint } = query;
  const terms = { application, container, fingerprint };
  const filter: Clause[] = [
    { term: { project } },
    { range: { at: { gte: from, lt: until } } },
    ...Object.entries(terms).flatMap(([field, value]) =>
      value === undefined ? [] : [{ term: { [field]: value.toWellFormed() } }],
    ),
    ...(minLevel === undefined
      ? []
      : [{ terms: { level: LOG_LEVELS.slice(LOG_LEVELS.indexOf(minLevel)) } }]),
    ...(text === undefined ? [] : textClauses(text)),
  ];
  return { bool: { filter } };
}

/** Where the page before ended. */
export interface PageEnd {
  readonly at: number;
  readonly order: string;
}

/**
 * A page's end belongs to its project and to what was searched for: of another search it is no
 * place. The span may differ, since "the last hour" is another one at the next page.
 */
function queryMark(project: ProjectId, query: LogQuery): string {
  const { limit: _, cursor: __, from: ___, until: ____, ...asked } = query;
  const sorted = Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify([project, sorted]), 'base64url').slice(0, 11);
}

export function printCursor(project: ProjectId, query: LogQuery, { at, order }: PageEnd): string {
  return Buffer.from(`${queryMark(project, query)}.${at}.${order}`).toString('base64url');
}

/** @throws AppError BAD_REQUEST when it is not one that this query gave */
export function parseCursor(project: ProjectId, query: LogQuery): PageEnd | undefined {
  if (query.cursor === undefined) return undefined;
  const text = Buffer.from(query.cursor, 'base64url').toString();
  const match = /^([\w-]{11})\.(-?\d{1,16})\.([!-~]{1,200})$/.exec(text);
  const [, mark, at, order] = match ?? [];
  if (at === undefined || order === undefined || mark !== queryMark(project, query)) {
    throw new AppError('BAD_REQUEST', 'the cursor is not one of a page before, of this same query');
  }
  return { at: Number(at), order };
}

/** Newest first; an index that has no such field yet has no record either. */
export const NEWEST_FIRST = [
  { at: { order: 'desc', unmapped_type: 'date' } },
  { order: { order: 'desc', unmapped_type: 'keyword' } },
] as const;
