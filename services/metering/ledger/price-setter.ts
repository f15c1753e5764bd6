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
import type { Fence } from '../../../shared/stores/lease.ts';
import type { PriceWriter } from '../../../shared/stores/price-book.ts';
import type { PriceFreezeStore } from '../../../shared/stores/price-freezes.ts';
import { DAY_MS, type Instant } from '../../../shared/values/instant.ts';

/** Load read at once. */
const PAGE = 5_000;

/**
 * How far back a pool is read that nothing was concluded about yet, or long ago. An older sample's
 * weight is below what a double can tell (0.97 to the power of 8,640).
 */
const LOOK_BACK_MS = DAY_MS;

export interface PriceStores {
  readonly journal: Pick<JournalReader, 'loads'>;
  readonly prices: PriceWriter;
  readonly priceFreezes: PriceFreezeStore;
}

export interface PricedPool {
  readonly id: string;
  /** Its clusters, as known at a time. */
  readonly clusters: (at: Instant) => Promise<readonly string[]>;
  readonly rule: PriceRule;
}

/**
 * Keeps the price of one pool: reads the load since it last looked, and announces its moves. What it
 * concludes each period is kept, so that a restart or another meter goes on from there to the bit,
 * whatever load came too late for it.
 */
export class PriceSetter {
  readonly #stores: PriceStores;
  readonly #pool: PricedPool;
  #state: PriceState | undefined;
  /** Of the lease under which the state was made. */
  #token: bigint | undefined;

  constructor(stores: PriceStores, pool: PricedPool) {
    this.#stores = stores;
    this.#pool = pool;
  }

  /**
   * @param fence of the lease under which it announces
   * @returns the epoch announced, if the price moves
   */
  async evaluate(now: Instant, fence?: Fence): Promise<PriceEpoch | undefined> {
    const { id, rule } = this.#pool;
    const at = evaluationTime(now, rule);
    // With a new lease others may have concluded meanwhile: what they did is in the book.
    if (fence?.token !== this.#token) this.#state = undefined;
    this.#token = fence?.token;
    this.#state ??= await this.#restoredState(now);
    const before = this.#state;
    if (at <= before.evaluatedAt) return undefined;
    const [freeze] = await this.#stores.priceFreezes.ofPool(id, 1);
    const frozen = rule.frozen || freeze?.frozen === true;
    const samples = await this.#loads(before.load.at, at);
    const concluded = evaluatePrice(id, before, { samples, now }, { ...rule, frozen });
    // Whatever keeping it ends in, what stands is in the book: read it again if this fails.
    this.#state = undefined;
    const { evaluation, epoch } = concluded;
    if (evaluation !== undefined) {
      await this.#stores.prices.conclude(evaluation, epoch, now, fence);
    }
    this.#state = concluded.state;
    return epoch;
  }

  async #restoredState(now: Instant): Promise<PriceState> {
    const { id } = this.#pool;
    const { prices } = this.#stores;
    const epochs = await prices.epochs(id, now, Number.MAX_SAFE_INTEGER);
    const epoch = epochs.at(-1);
    const kept = (await prices.evaluation(id)) ?? epoch;
    const state = (kept === undefined ? undefined : priceInputs(kept)?.state) ?? NO_PRICE;
    return epoch === undefined
      ? state
      : { ...state, last: { step: epoch.step, start: epoch.start } };
  }

  /** Load facts in `(after, until]`, of the last day at most. */
  async #loads(after: Instant, until: Instant): Promise<LoadFact[]> {
    const samples: LoadFact[] = [];
    for (const cluster of await this.#pool.clusters(until)) {
      let from = Math.max(after + 1, until - LOOK_BACK_MS);
      for (;;) {
        const page = await this.#stores.journal.loads(cluster, from, until + 1, PAGE);
        samples.push(...page);
        const last = page.at(-1);
        if (last === undefined || page.length < PAGE) break;
        from = last.at + 1;
      }
    }
    return samples;
  }
}
