import type { Quantity } from '../contracts/charge.ts';
import { divideHalfEven } from '../values/divide-half-even.ts';
import type { Nanocredits } from '../values/money.ts';
import type { PriceStep } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';

/** One product of a charge: what one resource costs. */
export interface AmountTerm {
  readonly resource: 'cores' | 'memory' | 'gpus';
  /** Resource × ms, in the unit of `perUnit`: millicore-ms, MiB-ms, GPU-ms. */
  readonly quantity: bigint;
  /** How many of the quantity's units are one of the rate's: 1,000 millicores a core. */
  readonly perUnit: bigint;
  /** Nanocredits for one core, GiB or GPU and second. */
  readonly rate: Nanocredits;
  /** quantity / perUnit / 1,000 × rate × step × percent, exact, in nanocredits × scale. */
  readonly exact: string;
  /** Whether it is in the sum: by the `dominant` rule only the dearest is. */
  readonly counts: boolean;
}

export interface ExplainedAmount {
  readonly terms: readonly AmountTerm[];
  /** Exact sum in nanocredits × scale, before the one rounding. */
  readonly exact: string;
  /** By which the sum is divided as it is rounded: the shares of mixed cards; else 1. */
  readonly scale: bigint;
  readonly amount: Nanocredits;
}

/** Decimals that hold every product: its divisor is 2^18 · 5^11 at most. */
const DECIMALS = 18;
const SCALE = 10n ** BigInt(DECIMALS);
const MS_STEP_AND_PERCENT = 1_000n * 1_000n * 100n;

function decimalText(scaled: bigint): string {
  const magnitude = scaled < 0n ? -scaled : scaled;
  const fraction = (magnitude % SCALE).toString().padStart(DECIMALS, '0').replace(/0+$/, '');
  const whole = (magnitude / SCALE).toString();
  return `${scaled < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/**
 * The arithmetic of a charge line with nothing left out: each product exact, and the one rounding,
 * half to even, of their sum, or of the dearest of them. Comes to what rateQuantity says, by a way of
 * its own.
 *
 * @param percent of the price that the container's outcome pays
 */
export function explainAmount(
  quantity: Quantity,
  step: PriceStep,
  card: RateCard,
  percent = 100,
): ExplainedAmount {
  const inputs = [
    ['cores', quantity.millicoreMs, 1_000n, card.coreSecond],
    ['memory', quantity.mibMs, 1_024n, card.gibSecond],
    ['gpus', quantity.gpuMs, 1n, card.gpuSecond],
  ] as const;
  const products = inputs.map(([resource, amount, perUnit, rate]) => {
    const unit = SCALE / (perUnit * MS_STEP_AND_PERCENT);
    const scaled = amount * rate * BigInt(step) * BigInt(percent) * unit;
    return { resource, quantity: amount, perUnit, rate, scaled };
  });
  const dearest = products.reduce((most, one) => (one.scaled > most.scaled ? one : most));
  const counted = card.rule === 'dominant' ? products.filter((one) => one === dearest) : products;
  const sum = counted.reduce((total, { scaled }) => total + scaled, 0n);
  const { scale = 1n } = card;
  return {
    terms: products.map(({ scaled, ...term }) => ({
      ...term,
      exact: decimalText(scaled),
      counts: counted.some(({ resource }) => resource === term.resource),
    })),
    exact: decimalText(sum),
    scale,
    amount: divideHalfEven(sum, SCALE * scale),
  };
}
