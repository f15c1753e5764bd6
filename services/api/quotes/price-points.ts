import type { Clock } from '../../../shared/runtime/clock.ts';
import type { PriceReader } from '../../../shared/stores/price-book.ts';
import { type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import { HISTORY_MS, type PricePoint } from './predict-start.ts';

/** Who waits asks often, and four weeks of prices change little meanwhile. */
const FRESH_MS = 10 * MINUTE_MS;

/** The steps of a pool's last four weeks, read again at most every ten minutes. */
export class PricePoints {
  readonly #prices: PriceReader;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #read = new Map<string, { readonly at: Instant; points: Promise<PricePoint[]> }>();

  constructor({
    prices,
    clock,
  }: { readonly prices: PriceReader; readonly clock: Pick<Clock, 'now'> }) {
    this.#prices = prices;
    this.#clock = clock;
  }

  /** @param pool one of the configured, so that what is kept is bounded */
  of(pool: string): Promise<readonly PricePoint[]> {
    const now = this.#clock.now();
    const before = this.#read.get(pool);
    if (before !== undefined && now - before.at < FRESH_MS) return before.points;
    const points = this.#points(pool, now);
    this.#read.set(pool, { at: now, points });
    points.catch(() => this.#read.delete(pool));
    return points;
  }

  async #points(pool: string, now: Instant): Promise<PricePoint[]> {
    const epochs = await this.#prices.epochs(pool, now - HISTORY_MS, now);
    return epochs.map(({ start, step }) => ({ start, step }));
  }
}
