import type { ChargeLine, PriceEpoch } from '../contracts/charge.ts';
import type { Instant } from '../values/instant.ts';
import type { RateCard } from '../values/rate-card.ts';
import { clipIntervals, type ResourceInterval, rateIntervals } from './rate-interval.ts';

/** A rate card and the whole UTC hour from which it holds, so that an hour has one card. */
export interface DatedRateCard {
  readonly card: RateCard;
  readonly validFrom: Instant;
}

export interface RatedLine extends ChargeLine {
  readonly rateCard: string;
}

/** The rate cards over time. The earliest one also holds before it was written. */
export class Tariff {
  /** In order of time. */
  readonly #cards: readonly DatedRateCard[];

  /** @param cards at least one, each from another whole hour on */
  constructor(cards: readonly DatedRateCard[]) {
    this.#cards = cards.toSorted((a, b) => a.validFrom - b.validFrom);
  }

  cardAt(at: Instant): RateCard {
    const card = this.#cards.findLast(({ validFrom }) => validFrom <= at) ?? this.#cards[0];
    if (card === undefined) throw new RangeError('a tariff has a rate card');
    return card.card;
  }

  /** Charge lines of one container's intervals, each hour by its own card. */
  rate(
    intervals: readonly ResourceInterval[],
    epochs: readonly PriceEpoch[],
    percent = 100,
  ): RatedLine[] {
    return this.#cards.flatMap(({ card }, index) => {
      const start = index === 0 ? Number.NEGATIVE_INFINITY : (this.#cards[index]?.validFrom ?? 0);
      const end = this.#cards[index + 1]?.validFrom ?? Number.POSITIVE_INFINITY;
      const lines = rateIntervals(clipIntervals(intervals, { start, end }), epochs, card, percent);
      return lines.map((line) => ({ ...line, rateCard: card.id }));
    });
  }
}
