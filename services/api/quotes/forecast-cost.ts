import type { WorkloadRun } from '../../../shared/stores/workload-reader.ts';
import { divideHalfEven } from '../../../shared/values/divide-half-even.ts';
import type { Nanocredits } from '../../../shared/values/money.ts';
import type { PriceStep } from '../../../shared/values/price-step.ts';

/** The middle of what was seen, and how far it spread. */
export interface Spread<T> {
  readonly expected: T;
  readonly low: T;
  readonly high: T;
}

/** From so many runs on the range is the middle half of them; below it is all of them. */
export const QUARTILES_FROM = 4;

/** The smallest value that a share of the values doesn't exceed (nearest rank): one that was seen. */
function quantile<T>(sorted: readonly T[], share: number): T | undefined {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Median, and the quartiles, or the extremes of a few; undefined for none. */
export function spreadOf<T extends bigint | number>(values: readonly T[]): Spread<T> | undefined {
  const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const few = sorted.length < QUARTILES_FROM;
  const expected = quantile(sorted, 0.5);
  const low = quantile(sorted, few ? 0 : 0.25);
  const high = quantile(sorted, few ? 1 : 0.75);
  if (expected === undefined || low === undefined || high === undefined) return undefined;
  return { expected, low, high };
}

/** What a run would have cost at 1.00 X, by the prices that its lines were charged at. */
export function baseCost({ charged, chargedAt }: WorkloadRun): Nanocredits {
  let [paid, base] = [0n, 0n];
  for (const { step, microcredits } of chargedAt) {
    paid += microcredits * 1_000n;
    base += divideHalfEven(microcredits * 1_000_000n, BigInt(step));
  }
  return paid <= 0n ? charged : divideHalfEven(charged * base, paid);
}

/** A cost at 1.00 X at another price. */
export function atStep(base: Nanocredits, step: PriceStep): Nanocredits {
  return divideHalfEven(base * BigInt(step), 1_000n);
}

export function mapSpread<T, U>(spread: Spread<T>, map: (value: T) => U): Spread<U> {
  return { expected: map(spread.expected), low: map(spread.low), high: map(spread.high) };
}
