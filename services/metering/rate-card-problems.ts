import { type Instant, parseInstant } from '../../shared/values/instant.ts';
import { monthOf, monthStart } from '../../shared/values/month.ts';
import type {
  ClusterMarketConfig,
  RateCardConfig,
  ScopedRateCardConfig,
} from './rate-card-config.ts';

/** What a configuration says of cards. */
export interface CardsConfig {
  readonly rateCard: RateCardConfig;
  readonly earlierRateCards: readonly RateCardConfig[];
  readonly rateCards: readonly ScopedRateCardConfig[];
  readonly markets: readonly ClusterMarketConfig[];
  readonly pools: readonly { readonly id: string }[];
}

export interface CardProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface Placed {
  readonly path: readonly (string | number)[];
  readonly card: ScopedRateCardConfig & { readonly currency?: RateCardConfig['currency'] };
  readonly from: Instant;
}

function placedCards({ rateCard, earlierRateCards, rateCards }: CardsConfig): Placed[] {
  const place = (name: string) => (card: Placed['card'], index: number) => ({
    path: [name, index],
    card,
    from: parseInstant(card.validFrom) ?? 0,
  });
  return [
    { path: ['rateCard'], card: rateCard, from: parseInstant(rateCard.validFrom) ?? 0 },
    ...earlierRateCards.map(place('earlierRateCards')),
    ...rateCards.map(place('rateCards')),
  ];
}

const nameOf = ({ path }: Placed): string => path.join('.');

/** Each card against those before it. */
function contradictions(cards: readonly Placed[]): CardProblem[] {
  return cards.flatMap((one, index) => {
    const { card, from, path } = one;
    const before = cards.slice(0, index);
    const problems: CardProblem[] = [];
    const namesake = before.find((other) => other.card.id === card.id);
    if (namesake !== undefined) {
      const message = `${nameOf(namesake)} has the id "${card.id}" too; a charge names its card by it`;
      problems.push({ path: [...path, 'id'], message });
    }
    const rival = before.find(
      (other) =>
        other.card.pool === card.pool && other.card.market === card.market && other.from === from,
    );
    if (rival !== undefined) {
      const message = `${nameOf(rival)} holds from then on for the same pool and market; give each card its own validFrom`;
      problems.push({ path: [...path, 'validFrom'], message });
    }
    return problems;
  });
}

function unknownPools(cards: readonly Placed[], { pools }: CardsConfig): CardProblem[] {
  const known = pools.map(({ id }) => id);
  return cards.flatMap(({ path, card: { pool } }) =>
    pool === undefined || known.includes(pool)
      ? []
      : [{ path: [...path, 'pool'], message: `is no pool; there are: ${known.join(', ')}` }],
  );
}

/** A month's books come to one sum of money. */
function currencyProblems(cards: readonly Placed[]): CardProblem[] {
  const general = cards
    .filter(({ path }) => path[0] !== 'rateCards')
    .toSorted((a, b) => a.from - b.from);
  const textOf = (placed: Placed | undefined) => JSON.stringify(placed?.card.currency);
  return general.flatMap((one, index) => {
    if (index === 0 || textOf(one) === textOf(general[index - 1])) return [];
    if (one.from < 0 || monthStart(monthOf(one.from)) === one.from) return [];
    const message = 'changes in the middle of a month; let the card hold from its first hour on';
    return [{ path: [...one.path, 'currency'], message }];
  });
}

function marketProblems({ markets }: CardsConfig): CardProblem[] {
  return markets.flatMap(({ cluster, market, onDemandNodes, nodes }, index) => {
    const at = (name: string, message: string) => ({ path: ['markets', index, name], message });
    const problems: CardProblem[] = [];
    if (markets.slice(0, index).some((other) => other.cluster === cluster)) {
      problems.push(at('cluster', `has the market of "${cluster}" already`));
    }
    if ((onDemandNodes === undefined) !== (nodes === undefined)) {
      const missing = nodes === undefined ? 'nodes' : 'onDemandNodes';
      problems.push(at(missing, 'is needed: the share on demand is onDemandNodes of nodes'));
    }
    if (onDemandNodes !== undefined && market === 'on-demand') {
      problems.push(at('onDemandNodes', 'is of a spot cluster; all nodes of this are on demand'));
    }
    if (onDemandNodes !== undefined && nodes !== undefined && onDemandNodes > nodes) {
      problems.push(at('onDemandNodes', `is more than the ${nodes} nodes of the cluster`));
    }
    return problems;
  });
}

/** Cards that may be mixed by share are rated by one rule. */
function mixedRules(cards: readonly Placed[], { markets }: CardsConfig): CardProblem[] {
  if (!markets.some(({ onDemandNodes }) => onDemandNodes !== undefined)) return [];
  const [first] = cards;
  return cards.flatMap(({ path, card: { rule } }) =>
    rule === first?.card.rule
      ? []
      : [
          {
            path: [...path, 'rule'],
            message: `must be ${first?.card.rule}, as of rateCard: a cluster with onDemandNodes mixes cards`,
          },
        ],
  );
}

/** Everything in which the cards contradict each other, the pools or the markets. */
export function rateCardProblems(config: CardsConfig): CardProblem[] {
  const cards = placedCards(config);
  return [
    ...contradictions(cards),
    ...unknownPools(cards, config),
    ...currencyProblems(cards),
    ...marketProblems(config),
    ...mixedRules(cards, config),
  ];
}
