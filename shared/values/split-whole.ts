/**
 * Splits a whole by weights so that the parts add up to it exactly (largest remainder, ties to the
 * first). A whole with no positive weight goes to the first part.
 */
export function splitWhole(whole: bigint, weights: readonly bigint[]): bigint[] {
  if (weights.length === 0) throw new RangeError('a whole needs at least one part');
  if (weights.some((weight) => weight < 0n)) throw new RangeError('a weight is never negative');
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total === 0n) return weights.map((_, index) => (index === 0 ? whole : 0n));
  const sign = whole < 0n ? -1n : 1n;
  const magnitude = whole * sign;
  const parts = weights.map((weight, index) => ({
    index,
    part: (magnitude * weight) / total,
    remainder: (magnitude * weight) % total,
  }));
  let left = magnitude - parts.reduce((sum, { part }) => sum + part, 0n);
  const byRemainder = [...parts].sort((a, b) =>
    a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1,
  );
  for (const entry of byRemainder) {
    if (left === 0n) break;
    entry.part += 1n;
    left -= 1n;
  }
  return parts.map(({ part }) => part * sign);
}
