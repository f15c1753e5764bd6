/**
 * @typedef {{ kind: 'no-grant' } | { kind: 'exhausted' } | { kind: 'steady' }
 *   | { kind: 'ends', atMs: number }} BalanceEnd
 */

/**
 * When the balance runs out if everything that runs now goes on at the price now.
 * @param {{ unlimited: boolean, balance: string, burnPerHour: string, asOf: string }} balance
 * @returns {BalanceEnd}
 */
export function balanceEnd({ unlimited, balance, burnPerHour, asOf }) {
  if (unlimited) return { kind: 'no-grant' };
  const left = Number(balance);
  if (left <= 0) return { kind: 'exhausted' };
  const burn = Number(burnPerHour);
  if (!(burn > 0)) return { kind: 'steady' };
  return { kind: 'ends', atMs: Date.parse(asOf) + (left / burn) * 3_600_000 };
}
