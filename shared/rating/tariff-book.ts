import { divideHalfEven } from '../values/divide-half-even.ts';
import type { Instant } from '../values/instant.ts';
import type { PriceStep } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';
import { type DatedRateCard, Tariff, type Tariffs } from './tariff.ts';

export type Market = 'on-demand' | 'spot';

/** A card, and what it is for; without pool or market for every one. */
export interface ScopedRateCard extends DatedRateCard {
  readonly pool?: string | undefined;
  readonly market?: Market | undefined;
}

/**
 * On which market a cluster's nodes are: all on one, or the first `onDemand` of `nodes` on demand and
 * the rest on spot, so that each container pays both rates by their share.
 */
export type ClusterMarket = Market | { readonly onDemand: number; readonly nodes: number };

export interface ClusterPlace {
  readonly pool: string | undefined;
  /** Undefined: not known; only cards for every market hold there. */
  readonly market: ClusterMarket | undefined;
}

/** A card that names pool and market goes before one that names the pool, then the market. */
function rank({ pool, market }: ScopedRateCard): number {
  return (pool === undefined ? 0 : 2) + (market === undefined ? 0 : 1);
}

/** Of the most exact scope that has a card by then, the latest; before all of them, the first. */
function cardAt(cards: readonly ScopedRateCard[], at: Instant): RateCard {
  const begun = cards.filter(({ validFrom }) => validFrom <= at);
  const [best] =
    begun.length > 0
      ? begun.toSorted((a, b) => rank(b) - rank(a) || b.validFrom - a.validFrom)
      : cards.toSorted((a, b) => rank(a) - rank(b) || a.validFrom - b.validFrom);
  if (best === undefined) throw new RangeError('a tariff has a card for every pool and market');
  return best.card;
}

/** Both cards by their shares: exact in the rates, rounded once in the minimum. */
function mixCards(a: RateCard, b: RateCard, [partA, partB]: readonly [number, number]): RateCard {
  if (a.id === b.id || partB === 0) return a;
  if (partA === 0) return b;
  const [weightA, weightB] = [BigInt(partA), BigInt(partB)];
  const scale = weightA + weightB;
  const mix = (name: 'coreSecond' | 'gibSecond' | 'gpuSecond') =>
    a[name] * weightA + b[name] * weightB;
  return {
    id: `${a.id}*${partA}+${b.id}*${partB}`,
    coreSecond: mix('coreSecond'),
    gibSecond: mix('gibSecond'),
    gpuSecond: mix('gpuSecond'),
    scale,
    rule: a.rule ?? 'additive',
    minimum: divideHalfEven((a.minimum ?? 0n) * weightA + (b.minimum ?? 0n) * weightB, scale),
  };
}

/** Rate cards by pool, market and time. What holds on a cluster is a plain tariff. */
export class TariffBook implements Tariffs {
  readonly cards: readonly ScopedRateCard[];
  readonly #placeOf: (cluster: string) => ClusterPlace;
  readonly #tariffs = new Map<string, Tariff>();

  /** @param cards one at least for every pool and market; of mixed markets both by one rule */
  constructor(
    cards: readonly ScopedRateCard[],
    placeOf: (cluster: string) => ClusterPlace = () => ({ pool: undefined, market: undefined }),
  ) {
    this.cards = cards;
    this.#placeOf = placeOf;
  }

  /** Some card has a minimum charge. */
  hasMinimum(): boolean {
    return this.cards.some(({ card: { minimum = 0n } }) => minimum > 0n);
  }

  of(cluster: string): Tariff {
    return this.at(this.#placeOf(cluster));
  }

  /** Where the market isn't known yet, a plan is estimated on demand. */
  ofPool(pool: string): Tariff {
    return this.at({ pool, market: 'on-demand' });
  }

  at(place: ClusterPlace): Tariff {
    const key = JSON.stringify([place.pool, place.market]);
    const known = this.#tariffs.get(key);
    if (known !== undefined) return known;
    const made = this.#tariffOf(place);
    this.#tariffs.set(key, made);
    return made;
  }

  /** Of the general card, since a project's fixed price is the same on every pool and market. */
  #fixedSteps(at: Instant): ReadonlyMap<string, PriceStep> {
    const general = this.cards
      .filter((card) => rank(card) === 0)
      .toSorted((a, b) => a.validFrom - b.validFrom);
    const dated = general.findLast(({ validFrom }) => validFrom <= at) ?? general[0];
    return dated?.fixedSteps ?? new Map();
  }

  #tariffOf({ pool, market }: ClusterPlace): Tariff {
    const ofMarket = (one: Market | undefined) =>
      this.cards.filter(
        (card) =>
          (card.pool === undefined || card.pool === pool) &&
          (card.market === undefined || card.market === one),
      );
    if (market === undefined || typeof market === 'string') {
      const cards = ofMarket(market);
      const starts = [Number.NEGATIVE_INFINITY, ...cards.map(({ validFrom }) => validFrom)];
      return new Tariff(
        [...new Set(starts)].map((validFrom) => ({
          validFrom,
          card: cardAt(cards, validFrom),
          fixedSteps: this.#fixedSteps(validFrom),
        })),
      );
    }
    const [onDemand, spot] = [ofMarket('on-demand'), ofMarket('spot')];
    const starts = [...onDemand, ...spot].map(({ validFrom }) => validFrom);
    const first = Math.min(market.onDemand, market.nodes);
    return new Tariff(
      [...new Set([Number.NEGATIVE_INFINITY, ...starts])].map((validFrom) => ({
        validFrom,
        fixedSteps: this.#fixedSteps(validFrom),
        card: mixCards(cardAt(onDemand, validFrom), cardAt(spot, validFrom), [
          first,
          market.nodes - first,
        ]),
      })),
    );
  }
}
