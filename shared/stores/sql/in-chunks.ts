/**
 * The list in parts of at most `size`, since a statement takes a bounded number of parameters and
 * equal texts stay prepared.
 */
export function inChunks<T>(list: readonly T[], size: number): (readonly T[])[] {
  const chunks: (readonly T[])[] = [];
  for (let from = 0; from < list.length; from += size) chunks.push(list.slice(from, from + size));
  return chunks;
}
