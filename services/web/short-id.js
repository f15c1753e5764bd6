const LONGEST = 16;

/**
 * The end of an identifier, where Spark's and YARN's differ from each other:
 * `container_1763712000000_0003_01_000004` is `…_01_000004`.
 * @param {string} id
 */
export function shortId(id) {
  if (id.length <= LONGEST) return id;
  const end = id.slice(-(LONGEST - 4));
  const separator = end.search(/[-_]/);
  return `…${separator > 0 && separator < 6 ? end.slice(separator) : end}`;
}
