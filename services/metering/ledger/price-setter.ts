import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { LoadFact } from '../../../shared/contracts/container-fact.ts';
import {
  evaluatePrice,
  evaluationTime,
  NO_PRICE,
  type PriceState,
  stateOfEpoch,
} from '../../../shared/price/evaluate-price.ts';
import type { PriceRule } from '../../../shared/price/price-rule.ts';
import type { JournalReader } from '../../../shared/stores/journal.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import type { PriceWriter } from '../../../shared/stores/price-book.ts';
import { DAY_MS, type Instant } from '../../../shared/values/instant.ts';

/** Load read at once. */
const PAGE = 5_000;

/**
 * How far back a restart reads load. An older sample's weight is below what a double can tell
 * (0.97 to the power of 8,640), so that the smoothed load is what it would have been.
 */
const LOOK_BACK_MS = DAY_MS;

/** Keeps the price of one pool: reads the load since it last looked, and announces its moves. */
export class PriceSetter {
  readonly #stores: { readonly journal: JournalReader; readonly prices: PriceWriter };
  readonly #pool: { readonly id: string; readonly clusters: (all: string[]) => string[] };
  readonly #rule: PriceRule;
  #state: PriceState | undefined;
  /** Of the lease under which the state was made. */
  #token: bigint | undefined;

  /** @param pool.clusters picks the pool's clusters from all that facts name */
  constructor(
    stores: { readonly journal: JournalReader; readonly prices: PriceWriter },
    pool: { readonly id: string; readonly clusters: (all: string[]) => string[] },
    rule: PriceRule,
  ) {
    this.#stores = stores;
    this.#pool = pool;
    this.#rule = rule;
  }

  /**
   * @param fence of the lease under which it announces
   * @returns the epoch announced, if the price moves
   */
  async evaluate(now: Instant, fence?: Fence): Promise<PriceEpoch | undefined> {
    const at = evaluationTime(now, this.#rule);
    // With a new lease others may have announced meanwhile: what they did is in the book.
    if (fence?.token !== this.#token) this.#state = undefined;
    this.#token = fence?.token;
    this.#state ??= await this.#restoredState(now);
    if (at <= this.#state.evaluatedAt) return undefined;
    const samples = await this.#loads(this.#state.load.at, at);
    const { state, epoch } = evaluatePrice(
      this.#pool.id,
      this.#state,
      { samples, now },
      this.#rule,
    );
    if (epoch !== undefined) {
      // Whatever the announcement ends in, what stands is in the book: read it again if this fails.
      this.#state = undefined;
      await this.#stores.prices.announce(epoch, now, fence);
    }
    this.#state = state;
    return epoch;
  }

  async #restoredState(now: Instant): Promise<PriceState> {
    const { prices } = this.#stores;
    const epochs = await prices.epochs(this.#pool.id, now, Number.MAX_SAFE_INTEGER);
    const epoch = epochs.at(-1);
    if (epoch === undefined) return NO_PRICE;
    const state = priceInputs(epoch) ?? NO_PRICE;
    return { ...state, last: { step: epoch.step, start: epoch.start } };
  }

  /** Load facts in `(after, until]`, of the last day at most. */
  async #loads(after: Instant, until: Instant): Promise<LoadFact[]> {
    const samples: LoadFact[] = [];
    for (const cluster of this.#pool.clusters(await this.#stores.journal.clusters())) {
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
