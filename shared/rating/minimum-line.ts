import { NO_QUANTITY } from '../contracts/charge.ts';
import { divideHalfEven } from '../values/divide-half-even.ts';
import { utcHour } from '../values/instant.ts';
import type { Interval } from '../values/interval.ts';
import type { Nanocredits } from '../values/money.ts';
import { BASE_STEP } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';
import type { RatedLine, Tariff } from './tariff.ts';

/** Least that a container costs which pays this share of the price. */
export function minimumCharge({ minimum = 0n }: RateCard, percent: number): Nanocredits {
  return divideHalfEven(minimum * BigInt(percent), 100n);
}

/**
 * What is missing to the minimum charge of a container that is over, as a line of its own in its last
 * hour: no quantity, since that stays the truth, and no surge. Undefined when nothing is missing, and
 * for a container without any length, which costs nothing. The card of its last moment decides.
 *
 * @param lines all that it was charged over its whole life
 * @param percent of the price, for what did no work: who pays nothing pays no minimum
 */
export function minimumLine(
  { start, end }: Interval,
  lines: readonly RatedLine[],
  tariff: Tariff,
  percent = 100,
): RatedLine | undefined {
  if (end <= start) return undefined;
  const card = tariff.cardAt(end - 1);
  const minimum = minimumCharge(card, percent);
  const charged = lines.reduce((sum, { amount }) => sum + amount, 0n);
  if (charged >= minimum) return undefined;
  return {
    hour: utcHour(end - 1),
    step: BASE_STEP,
    quantity: NO_QUANTITY,
    amount: minimum - charged,
    rateCard: card.id,
  };
}
