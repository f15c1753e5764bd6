import type { ReadingKind, UseReading } from '../../rating/evaluate-limits.ts';

export interface PartRow {
  readonly kind: string;
  readonly used: string;
  readonly as_of: bigint | number;
}

/** Summed over the parts of each kind, as old as the oldest. */
export function sumReadings(rows: readonly PartRow[]): UseReading[] {
  const sums = new Map<string, UseReading>();
  for (const row of rows) {
    const before = sums.get(row.kind);
    sums.set(row.kind, {
      kind: row.kind as ReadingKind,
      used: (before?.used ?? 0n) + BigInt(row.used),
      asOf: Math.min(before?.asOf ?? Number.POSITIVE_INFINITY, Number(row.as_of)),
    });
  }
  return [...sums.values()];
}

/** Reads rows that SQL has joined as `kind used as_of,…`; null for none. */
export function parseReadings(text: string | null): UseReading[] {
  if (text === null || text === '') return [];
  return sumReadings(
    text.split(',').map((one) => {
      const [kind = '', used = '0', asOf = '0'] = one.split(' ');
      return { kind, used, as_of: Number(asOf) };
    }),
  );
}
