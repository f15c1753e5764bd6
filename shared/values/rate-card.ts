import { type Nanocredits, parseCredits } from './money.ts';

/**
 * Credits per unit and second. A container pays the sum over its resources, or the dearest of them,
 * times the price step.
 */
export interface RateCard {
  /** Names the card in every charge; a changed card has another id. */
  readonly id: string;
  readonly coreSecond: Nanocredits;
  readonly gibSecond: Nanocredits;
  readonly gpuSecond: Nanocredits;
  /**
   * `dominant`: of each charge line, the resource alone that comes to most; else the sum of all
   * (`additive`).
   */
  readonly rule?: RateRule;
  /** Least that a container costs over its whole life. */
  readonly minimum?: Nanocredits;
  /** The rates are in parts of a nanocredit: of two cards mixed by share, so that nothing is rounded. */
  readonly scale?: bigint;
}

export type RateRule = 'additive' | 'dominant';

/**
 * One core with one GiB costs 0.001 credits a second (3.6 an hour). Core to memory is 9 : 1, the
 * ratio that AWS split cost allocation uses.
 */
export const DEFAULT_RATE_CARD: RateCard = {
  id: 'default',
  coreSecond: 900_000n,
  gibSecond: 100_000n,
  gpuSecond: 20_000_000n,
};

/** What is wrong with a card as written (decimal credits), or the card. */
export function parseRateCard(written: {
  readonly id: string;
  readonly coreSecond: string;
  readonly gibSecond: string;
  readonly gpuSecond: string;
  readonly rule?: RateRule;
  readonly minimum?: string;
}): RateCard | { readonly problems: string[] } {
  const problems: string[] = [];
  const read = (name: 'coreSecond' | 'gibSecond' | 'gpuSecond' | 'minimum'): Nanocredits => {
    const amount = parseCredits(written[name] ?? '0');
    if (amount !== undefined && amount >= 0n) return amount;
    problems.push(`${name}: "${written[name]}" is no amount of credits (0 or more, 9 decimals)`);
    return 0n;
  };
  const minimum = read('minimum');
  const card: RateCard = {
    id: written.id,
    coreSecond: read('coreSecond'),
    gibSecond: read('gibSecond'),
    gpuSecond: read('gpuSecond'),
    ...(written.rule === 'dominant' ? { rule: written.rule } : {}),
    ...(minimum > 0n ? { minimum } : {}),
  };
  return problems.length > 0 ? { problems } : card;
}
