/** A price multiplier in thousandths, on a ladder of 50: 1000 is "1.00 X", 1150 is "1.15 X". */
export type PriceStep = number;

export const BASE_STEP: PriceStep = 1_000;

/** `1.15 X`, as people read a price. */
export function formatPriceStep(step: PriceStep): string {
  return `${(step / 1_000).toFixed(2)} X`;
}
