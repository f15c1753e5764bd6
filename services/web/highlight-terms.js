/** More hits than this in one message are shown without marking. */
const MOST_HITS = 100;

/**
 * The words and "phrases" of a search, as the log store reads it: `word*` is a prefix.
 * @param {string} search
 * @returns {string[]}
 */
export function searchTerms(search) {
  const terms = [];
  for (const found of search.matchAll(/"([^"]+)"|([^\s"]+)/g)) {
    const term = (found[1] ?? found[2] ?? '').replace(/\*$/, '');
    if (term !== '') terms.push(term.toLowerCase());
  }
  return terms;
}

/**
 * Cuts a text into runs that match one of the terms and runs between them; together they are the
 * text.
 * @param {string} text
 * @param {readonly string[]} terms in lower case
 * @returns {{ text: string, hit: boolean }[]}
 */
export function highlightTerms(text, terms) {
  const lower = text.toLowerCase();
  // Some letters change their length in lower case; positions wouldn't fit then.
  if (terms.length === 0 || lower.length !== text.length) return [{ text, hit: false }];
  const parts = [];
  let from = 0;
  while (parts.length < MOST_HITS * 2) {
    const next = nearest(lower, terms, from);
    if (next === undefined) break;
    if (next.at > from) parts.push({ text: text.slice(from, next.at), hit: false });
    from = next.at + next.length;
    parts.push({ text: text.slice(next.at, from), hit: true });
  }
  if (from < text.length) parts.push({ text: text.slice(from), hit: false });
  return parts;
}

/**
 * @param {string} lower
 * @param {readonly string[]} terms
 * @param {number} from
 */
function nearest(lower, terms, from) {
  /** @type {{ at: number, length: number } | undefined} */
  let best;
  for (const term of terms) {
    const at = lower.indexOf(term, from);
    if (at === -1) continue;
    const better = best === undefined || at < best.at;
    if (better || (at === best?.at && term.length > best.length))
      best = { at, length: term.length };
  }
  return best;
}
