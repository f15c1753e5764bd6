import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { LoadFact } from '../../../shared/contracts/container-fact.ts';
import {
  evaluatePrice,
  evaluationTime,
  NO_PRICE,
  type PriceState,
  priceInputs,
} from '../../../shared/price/evaluate-price.ts';
import type { PriceRule } from '../../../shared/price/price-rule.ts';
import type { JournalReader } from '../../../shared/stores/journal.ts';
import type { PriceReader } from '../../../shared/stores/price-book.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../../shared/values/instant.ts';
import type { Interval } from '../../../shared/values/interval.ts';

/** Load read at once. */
const PAGE = 5_000;
/** Load held at once: some thousand samples a cluster. */
const CHUNK_MS = 6 * HOUR_MS;
/** What load did longer ago weighs nothing any more. */
const LOOK_BACK_MS = DAY_MS;

export interface ReplayedPool {
  readonly id: string;
  readonly clusters: readonly string[];
}

export interface PriceStores {
  readonly journal: Pick<JournalReader, 'loads'>;
  readonly prices: PriceReader;
}

/**
 * The epochs that a rule would have announced in a window, from the load of the journal. It begins
 * with what was recorded when the price in force at the window's start was announced, so that the
 * rule which held gives the epochs that were announced, to the bit.
 *
 * @yields times up to which it has come
 */
export async function* replayPrices(
  stores: PriceStores,
  pool: ReplayedPool,
  rule: PriceRule,
  window: Interval,
): AsyncGenerator<Instant, PriceEpoch[]> {
  const [inForce] = await stores.prices.epochs(pool.id, window.start, window.start + 1);
  const first = inForce !== undefined && inForce.start <= window.start ? inForce : undefined;
  const recorded = (first && priceInputs(first)?.state) ?? NO_PRICE;
  const last = first && { step: first.step, start: first.start };
  const earliest = window.start - LOOK_BACK_MS;
  let state: PriceState = { ...recorded, last };
  const epochs: PriceEpoch[] = first === undefined ? [] : [first];
  let read = Math.max(state.load.at, earliest);
  let at = Math.max(state.evaluatedAt, evaluationTime(earliest, rule)) + rule.evaluateMs;
  while (at < window.end) {
    const chunkEnd = Math.min(window.end, at + CHUNK_MS);
    const samples = await loadsOf(stores, pool, { start: read + 1, end: chunkEnd });
    read = chunkEnd - 1;
    let next = 0;
    for (; at < chunkEnd; at += rule.evaluateMs) {
      const from = next;
      while ((samples[next]?.at ?? Number.POSITIVE_INFINITY) <= at) next += 1;
      const evaluation = { samples: samples.slice(from, next), now: at };
      const evaluated = evaluatePrice(pool.id, state, evaluation, rule);
      state = evaluated.state;
      if (evaluated.epoch !== undefined) epochs.push(evaluated.epoch);
    }
    // Those after the last evaluation are read again with the next chunk.
    const rest = samples[next];
    if (rest !== undefined) read = rest.at - 1;
    yield Math.min(at, window.end);
  }
  return epochs.map((epoch, index) => ({ ...epoch, end: epochs[index + 1]?.start }));
}

async function loadsOf(
  { journal }: PriceStores,
  { clusters }: ReplayedPool,
  { start, end }: Interval,
): Promise<LoadFact[]> {
  const samples: LoadFact[] = [];
  for (const cluster of clusters) {
    for (let from = start; ; ) {
      const page = await journal.loads(cluster, from, end, PAGE);
      samples.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      from = last.at + 1;
    }
  }
  return samples.sort((a, b) => a.at - b.at);
}
