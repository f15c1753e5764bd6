import type { Nanocredits } from '../values/money.ts';
import type { BurnDown } from './burn-down.ts';

export const ENTRY_KINDS = ['month', 'rollover', 'expiry'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/**
 * A row that follows from grants and charges: a month that was given, what it took over, what
 * expired. Never edited: what turns out otherwise is another revision with the difference.
 */
export interface GrantEntry {
  /** Grant, or month of one, whose entry it is. */
  readonly piece: string;
  readonly kind: EntryKind;
  /** Number of rows before it of the same piece and kind. */
  readonly revision: number;
  readonly amount: Nanocredits;
}

/** The rows that are missing for the ledger to say what the burn-down does. */
export function missingEntries(
  { pieces }: Pick<BurnDown, 'pieces'>,
  written: readonly GrantEntry[],
): GrantEntry[] {
  const key = ({ piece, kind }: Pick<GrantEntry, 'piece' | 'kind'>): string => `${kind} ${piece}`;
  const rows = Map.groupBy(written, key);
  return pieces.flatMap(({ piece, rolledIn, expired }) => {
    const due: Record<EntryKind, Nanocredits> = {
      month: piece.id === piece.grant ? 0n : piece.amount,
      rollover: rolledIn,
      expiry: -expired,
    };
    return ENTRY_KINDS.flatMap((kind) => {
      const before = rows.get(key({ piece: piece.id, kind })) ?? [];
      const amount = due[kind] - before.reduce((sum, row) => sum + row.amount, 0n);
      return amount === 0n ? [] : [{ piece: piece.id, kind, revision: before.length, amount }];
    });
  });
}
