import type { ReadingKind, UseReading } from '../../rating/evaluate-limits.ts';

export interface PartRow {
  readonly kind: string;
  readonly used: string;
  readonly as_of: bigint | number;
}

/** Of each kind summed over its parts, as old as the oldest: `kind used as_of,…`. */
export function formatReadings(rows: readonly PartRow[]): string {
  const kinds = [...Map.groupBy(rows, ({ kind }) => kind)].map(([kind, own]) => {
    const used = own.reduce((sum, row) => sum + BigInt(row.used), 0n);
    return `${kind} ${used} ${Math.min(...own.map((row) => Number(row.as_of)))}`;
  });
  return kinds.sort().join(',');
}

/** Reads what formatReadings prints. */
export function parseReadings(text: string): UseReading[] {
  if (text === '') return [];
  return text.split(',').map((one) => {
    const [kind = '', used = '0', asOf = '0'] = one.split(' ');
    return { kind: kind as ReadingKind, used: BigInt(used), asOf: Number(asOf) };
  });
}
