import { divideHalfEven } from '../values/divide-half-even.ts';
import { NANOCREDITS_PER_CREDIT, type Nanocredits } from '../values/money.ts';

/** What a credit costs in money. */
export interface CreditPrice {
  /** ISO 4217. */
  readonly currency: string;
  /** Billionths of the currency for one credit. */
  readonly perCredit: bigint;
}

export function isCurrency(code: string): boolean {
  return Intl.supportedValuesOf('currency').includes(code);
}

/** ISO 4217's decimals: 2 of most, 0 of the yen, 3 of the dinar. */
function minorDigits(currency: string): number {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

/**
 * Credits in money, as a decimal with the currency's own decimals. Price and quantity are exact; this
 * is their one rounding, half to even, and it is done once, to a total.
 */
export function currencyAmount(amount: Nanocredits, price: CreditPrice): string {
  const digits = minorDigits(price.currency);
  const unit = 10n ** BigInt(9 - digits);
  const minor = divideHalfEven(amount * price.perCredit, NANOCREDITS_PER_CREDIT * unit);
  const text = `${minor < 0n ? -minor : minor}`.padStart(digits + 1, '0');
  const [whole, fraction] = [text.slice(0, text.length - digits), text.slice(text.length - digits)];
  return `${minor < 0n ? '-' : ''}${whole}${digits === 0 ? '' : `.${fraction}`}`;
}
