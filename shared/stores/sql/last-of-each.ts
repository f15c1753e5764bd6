/**
 * The last item of each key, since a statement can't write a row twice; in the order of keys, so
 * that two writers wait for each other and don't deadlock.
 */
export function lastOfEach<T>(list: readonly T[], keyOf: (item: T) => string): T[] {
  const last = new Map(list.map((item) => [keyOf(item), item]));
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
