import type { Charge } from '../contracts/charge.ts';
import type { Nanocredits } from '../values/money.ts';

/** How a row of the ledger stands today. */
export type RowStanding = 'in-force' | 'superseded' | 'retraction';

export interface RowVerdict {
  readonly standing: RowStanding;
  readonly recomputed: Nanocredits;
  readonly ledger: Nanocredits;
  readonly equal: boolean;
  /** `recomputed 12,345 nanocredits = ledger`, or the difference by name. */
  readonly message: string;
}

/** `12,345`: groups of three, for people. */
export function groupDigits(amount: bigint): string {
  return amount.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The sentence that ends an explanation. */
export function verdictText(recomputed: Nanocredits, ledger: Nanocredits): string {
  if (recomputed === ledger) return `recomputed ${groupDigits(recomputed)} nanocredits = ledger`;
  const difference = recomputed - ledger;
  const sign = difference > 0n ? '+' : '';
  return (
    `recomputed ${groupDigits(recomputed)} nanocredits, the ledger has ${groupDigits(ledger)} ` +
    `(difference ${sign}${groupDigits(difference)})`
  );
}

/**
 * What one row says against what its facts come to: a row in force against all facts; one that was
 * superseded against those known when it was written; a retraction against the row that it takes
 * back.
 *
 * @param rows of the same container, hour and step, in the order of writing
 */
export function explainRow(
  row: Charge,
  rows: readonly Charge[],
  recompute: { readonly now: () => Nanocredits; readonly whenStored: () => Nanocredits },
): RowVerdict {
  const index = rows.findIndex(({ id }) => id === row.id);
  const ledger = row.amount;
  const verdict = (standing: RowStanding, recomputed: Nanocredits, remark = ''): RowVerdict => ({
    standing,
    recomputed,
    ledger,
    equal: recomputed === ledger,
    message: `${verdictText(recomputed, ledger)}${remark}`,
  });
  if (row.type === 'RETRACTION') {
    const before = rows[index - 1];
    const remark = before === undefined ? '' : `; it takes back ${before.id}`;
    return verdict('retraction', -(before?.amount ?? 0n), remark);
  }
  const next = rows[index + 1];
  if (next === undefined) return verdict('in-force', recompute.now());
  const remark = `, by the facts known when it was written; ${next.id} took it back`;
  return verdict('superseded', recompute.whenStored(), remark);
}
