import type { Instant } from '../../../shared/values/instant.ts';

/**
 * Messages that were seen before, with when they were last: what is known needs no look-up. Bounded:
 * the one that was asked for longest ago goes first, and is then looked up again.
 */
export class KnownMessages {
  readonly #max: number;
  readonly #seenAt = new Map<string, Instant>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether it was seen in `[from, until)`, as far as is remembered. */
  has(key: string, from: Instant, until: Instant): boolean {
    const at = this.#seenAt.get(key);
    return at !== undefined && at >= from && at < until;
  }

  add(key: string, at: Instant): void {
    this.#seenAt.delete(key);
    this.#seenAt.set(key, at);
    const [oldest] = this.#seenAt.keys();
    if (this.#seenAt.size > this.#max && oldest !== undefined) this.#seenAt.delete(oldest);
  }
}
