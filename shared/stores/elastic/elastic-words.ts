import { wordsOf } from '../sql/log-words.ts';

const ASCII_ONLY = /^[\0-\x7f]*$/;
const ASCII_SIGNS = /[^a-z0-9]+/g;
/** Of the SQLite adapter's own use; a query can't ask for it, so it parts words. */
const SCOPE = /\ue000/g;

/** Folds case one way for what is stored and what is asked: a sigma has two small forms. */
export function foldCase(word: string): string {
  return word.toLowerCase().replaceAll('ς', 'σ');
}

/** The words of a text as the index keeps them: in lower case, apart by spaces. */
export function searchedWords(text: string): string {
  // Most lines are ASCII, where one expression does it all in a fraction of the time.
  if (ASCII_ONLY.test(text)) return text.toLowerCase().replace(ASCII_SIGNS, ' ');
  return foldCase(wordsOf(text.replace(SCOPE, ' ')).join(' '));
}
