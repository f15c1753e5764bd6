const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
};

/**
 * Bytes of a size as Spark's configuration writes it: `1g`, `512m`, `1024` in the option's own unit;
 * undefined for anything else, fractions included, as Spark refuses them too.
 * Source: apache/spark common/utils/…/JavaUtils.java, byteStringAs.
 *
 * @param bareUnit unit of a number without suffix
 */
export function parseByteSize(text: string | undefined, bareUnit: 'b' | 'm'): number | undefined {
  const match = /^(\d{1,15})(?:([kmgtp])b?|b)?$/.exec((text ?? '').trim().toLowerCase());
  if (match === null) return undefined;
  const bare = /\d$/.test(match[0]);
  const bytes = Number(match[1]) * (UNIT_BYTES[match[2] ?? (bare ? bareUnit : 'b')] ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
