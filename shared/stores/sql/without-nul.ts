/**
 * The value with U+FFFD for every NUL of its texts, keys included, as for half a surrogate pair:
 * PostgreSQL's text holds none. For plain data; the value itself where there is nothing to replace.
 */
export function withoutNul<T>(value: T): T {
  if (typeof value === 'string') {
    return (value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value) as T;
  }
  if (Array.isArray(value)) {
    const clean = value.map(withoutNul);
    return (clean.every((member, i) => member === value[i]) ? value : clean) as T;
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== PLAIN) {
    return value;
  }
  const entries = Object.entries(value);
  const clean = entries.map(([key, member]) => [withoutNul(key), withoutNul(member)] as const);
  const same = clean.every(([key, member], i) => {
    const [oldKey, oldMember] = entries[i] ?? [];
    return key === oldKey && member === oldMember;
  });
  return same ? value : (Object.fromEntries(clean) as T);
}

const PLAIN = Object.prototype;
