import { wordsOf } from '../sql/log-words.ts';

const ASCII_SIGNS = /[^a-z0-9]+/g;
const SPACE = 32;
/** Of each ASCII character what is kept of it: letters in lower case, digits, else a space. */
const KEPT = Uint8Array.from({ length: 128 }, (_, code) => {
  const small = String.fromCharCode(code).toLowerCase();
  return /[a-z0-9]/.test(small) ? small.charCodeAt(0) : SPACE;
});
const bytes = Buffer.alloc(8_192);

/** As the expression above replaces them, at half its cost. */
function asciiWords(text: string): string {
  if (text.length > bytes.length) return text.toLowerCase().replace(ASCII_SIGNS, ' ');
  const length = bytes.write(text, 'latin1');
  let end = 0;
  let last = 0;
  for (let at = 0; at < length; at += 1) {
    const kept = KEPT[bytes[at] ?? 0] ?? SPACE;
    if (kept === SPACE && last === SPACE) continue;
    bytes[end] = kept;
    last = kept;
    end += 1;
  }
  return bytes.toString('latin1', 0, end);
}
/** Of the SQLite adapter's own use; a query can't ask for it, so it parts words. */
const SCOPE = /\ue000/g;

/** Folds case one way for what is stored and what is asked: a sigma has two small forms. */
export function foldCase(word: string): string {
  return word.toLowerCase().replaceAll('ς', 'σ');
}

/** The words of a text as the index keeps them: in lower case, apart by spaces. */
export function searchedWords(text: string): string {
  // Most lines are ASCII, whose words take a fraction of the time.
  if (Buffer.byteLength(text) === text.length) return asciiWords(text);
  return foldCase(wordsOf(text.replace(SCOPE, ' ')).join(' '));
}
