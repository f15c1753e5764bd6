/**
 * JSON with the keys of every object in order, so that equal values have equal text, whatever the
 * order they were built in. For plain data: no cycles, no toJSON. A key named `__proto__` is a key.
 * Half a surrogate pair becomes U+FFFD, as in a column of text: a name read from here finds its rows.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const members = entries.map(
    ([key, member]) => `${JSON.stringify(key.toWellFormed())}:${canonicalJson(member)}`,
  );
  return `{${members.join(',')}}`;
}
