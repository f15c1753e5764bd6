import type { ChargeLine, PriceEpoch } from '../contracts/charge.ts';
import type { Instant } from '../values/instant.ts';
import type { PriceStep } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';
import { epochsFor } from './fixed-price.ts';
import { clipIntervals, type ResourceInterval, rateIntervals } from './rate-interval.ts';

/** A rate card and the whole UTC hour from which it holds, so that an hour has one card. */
export interface DatedRateCard {
  readonly card: RateCard;
  readonly validFrom: Instant;
  /** Projects whose price it fixes, whatever a pool's is. */
  readonly fixedSteps?: ReadonlyMap<string, PriceStep>;
}

export interface RatedLine extends ChargeLine {
  readonly rateCard: string;
}

/** Which rate cards hold on a cluster. */
export interface Tariffs {
  of(cluster: string): Tariff;
}

/** The rate cards over time. The earliest one also holds before it was written. */
export class Tariff implements Tariffs {
  /** In order of time. */
  readonly #cards: readonly DatedRateCard[];

  /** @param cards at least one, each from another whole hour on */
  constructor(cards: readonly DatedRateCard[]) {
    this.#cards = cards.toSorted((a, b) => a.validFrom - b.validFrom);
  }

  /** The same on every cluster. */
  of(_cluster: string): Tariff {
    return this;
  }

  /** Some card has a minimum charge, so that a container's whole life matters at its close. */
  hasMinimum(): boolean {
    return this.#cards.some(({ card: { minimum = 0n } }) => minimum > 0n);
  }

  cardAt(at: Instant): RateCard {
    return this.#at(at).card;
  }

  /** The price that the card of that time fixes for a project. */
  fixedStepAt(at: Instant, project: string): PriceStep | undefined {
    return this.#at(at).fixedSteps?.get(project);
  }

  #at(at: Instant): DatedRateCard {
    const dated = this.#cards.findLast(({ validFrom }) => validFrom <= at) ?? this.#cards[0];
    if (dated === undefined) throw new RangeError('a tariff has a rate card');
    return dated;
  }

  /**
   * Charge lines of one container's intervals, each hour by its own card.
   *
   * @param who.project who pays, whose price a card may fix
   * @param who.percent of the price, for what did no work
   */
  rate(
    intervals: readonly ResourceInterval[],
    epochs: readonly PriceEpoch[],
    { project, percent = 100 }: { readonly project: string; readonly percent?: number },
  ): RatedLine[] {
    return this.#cards.flatMap(({ card, fixedSteps }, index) => {
      const start = index === 0 ? Number.NEGATIVE_INFINITY : (this.#cards[index]?.validFrom ?? 0);
      const end = this.#cards[index + 1]?.validFrom ?? Number.POSITIVE_INFINITY;
      const own = epochsFor(fixedSteps?.get(project), epochs);
      const lines = rateIntervals(clipIntervals(intervals, { start, end }), own, card, percent);
      return lines.map((line) => ({ ...line, rateCard: card.id }));
    });
  }
}
