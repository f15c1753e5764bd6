import type { Instant } from '../values/instant.ts';

/** That a pool's price should stay where it is, or be free again. */
export interface PriceFreeze {
  /** Given by whoever orders, so that ordering again does nothing twice. */
  readonly id: string;
  readonly pool: string;
  readonly frozen: boolean;
  /** Why, for people. */
  readonly reason: string;
  /** Label of the token that ordered it, for people. */
  readonly orderedBy: string;
  readonly orderedAt: Instant;
}

/** The switch of each pool's price, with all that was done to it. The API writes, the meter reads. */
export interface PriceFreezeStore {
  /** Repeating one is a no-op; the same id with another body is a CONFLICT. */
  order(freeze: PriceFreeze): Promise<PriceFreeze>;
  /** Newest first: the first one stands. */
  ofPool(pool: string, limit: number): Promise<PriceFreeze[]>;
}
