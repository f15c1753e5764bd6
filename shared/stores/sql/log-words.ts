import { AppError } from '../../errors/app-error.ts';

/**
 * What a word is, for every adapter: a run of letters and digits, case ignored. Dots, underscores
 * and all other signs separate words; camelCase is one word. `org.apache.spark.FetchFailedException`
 * is found by `FetchFailedException` and `fetchfailedexception`, not by `Failed`.
 * Accents written as a sign of their own belong to their letter, and some vowel signs that are
 * letters by now were none for the index: SQLite's tables are those of Unicode 6.1.
 */
const ACCENTS =
  '\\u0300-\\u0304\\u0306-\\u030c\\u030f\\u0311\\u031b\\u0323-\\u0328\\u032d\\u032e\\u0330\\u0331';
const NO_LETTERS = '\\u19b0-\\u19c0\\u19c8\\u19c9\\u1cf2\\u1cf3';
const LETTER = `[[\\p{L}\\p{N}\\p{Co}]--[${NO_LETTERS}]]`;
const WORD = new RegExp(`${LETTER}[${LETTER}${ACCENTS}]*`, 'gv');

/** Private-use, so that no word of a message is taken for a scope. */
const SCOPE = '\ue000';

const MAX_TEXT = 1_000;
const MAX_WORDS = 30;
const MIN_PREFIX = 2;

/** As they are written: the index folds case by its own tables, in what it stores and what is asked. */
export function wordsOf(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** A word that stands for what a record belongs to; `p12` for the project with id 12. */
export function scopeWord(kind: 'p' | 'c' | 'f' | 'l', id: number | string): string {
  return `${SCOPE}${kind}${id}`;
}

/** Stands for an application of a project, so that a search in one needn't walk the project's rows. */
export function applicationWord(project: number, application: number): string {
  return `${SCOPE}a${project}a${application}`;
}

export interface TextQuery {
  /** Each must occur. */
  readonly words: readonly string[];
  readonly prefixes: readonly string[];
  /** Words in lower case that must stand next to each other; they are in `words` too. */
  readonly phrases: readonly (readonly string[])[];
}

/**
 * Reads what a user searches for. Whatever it holds, only words come out, never query syntax.
 *
 * @throws AppError BAD_REQUEST when it is too long or too wide
 */
export function parseTextQuery(text: string): TextQuery {
  if (text.length > MAX_TEXT) {
    throw new AppError('BAD_REQUEST', `the search text has more than ${MAX_TEXT} characters`);
  }
  const words: string[] = [];
  const prefixes: string[] = [];
  const phrases: string[][] = [];
  for (const [part] of text.replaceAll(SCOPE, ' ').matchAll(/"[^"]*"?|[^"\s]+/g)) {
    const found = wordsOf(part);
    if (part.startsWith('"')) {
      if (found.length > 1) phrases.push(found.map((word) => word.toLowerCase()));
      words.push(...found);
      continue;
    }
    const prefix = part.endsWith('*') ? found.pop() : undefined;
    words.push(...found);
    if (prefix === undefined) continue;
    if (prefix.length < MIN_PREFIX) {
      throw new AppError(
        'BAD_REQUEST',
        `the search ${part} is too wide; give more letters before *`,
      );
    }
    prefixes.push(prefix);
  }
  if (words.length + prefixes.length > MAX_WORDS) {
    throw new AppError('BAD_REQUEST', `the search text has more than ${MAX_WORDS} words`);
  }
  return { words: [...new Set(words)], prefixes, phrases };
}

/** FTS5 query of words that must all occur. Words hold no quotes. */
export function matchExpression(words: readonly string[], prefixes: readonly string[]): string {
  return [...words.map((word) => `"${word}"`), ...prefixes.map((word) => `"${word}"*`)].join(
    ' AND ',
  );
}

/** True when every phrase stands in the text, word by word. The index doesn't know positions. */
export function holdsPhrases(text: string, phrases: TextQuery['phrases']): boolean {
  if (phrases.length === 0) return true;
  const words = ` ${wordsOf(text).join(' ').toLowerCase()} `;
  return phrases.every((phrase) => words.includes(` ${phrase.join(' ')} `));
}
