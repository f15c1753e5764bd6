import { type Nanocredits, parseCredits } from './money.ts';

/** Credits per unit and second. A container pays the sum over its resources, times the price step. */
export interface RateCard {
  /** Names the card in every charge; a changed card has another id. */
  readonly id: string;
  readonly coreSecond: Nanocredits;
  readonly gibSecond: Nanocredits;
  readonly gpuSecond: Nanocredits;
}

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
}): RateCard | { readonly problems: string[] } {
  const problems: string[] = [];
  const read = (name: 'coreSecond' | 'gibSecond' | 'gpuSecond'): Nanocredits => {
    const amount = parseCredits(written[name]);
    if (amount !== undefined && amount >= 0n) return amount;
    problems.push(`${name}: "${written[name]}" is no amount of credits (0 or more, 9 decimals)`);
    return 0n;
  };
  const card: RateCard = {
    id: written.id,
    coreSecond: read('coreSecond'),
    gibSecond: read('gibSecond'),
    gpuSecond: read('gpuSecond'),
  };
  return problems.length > 0 ? { problems } : card;
}
