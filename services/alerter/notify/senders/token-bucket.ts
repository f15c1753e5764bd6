/** How fast a destination may be sent to. */
export interface Pace {
  readonly perSecond: number;
  /** Messages at once after a rest. */
  readonly burst: number;
}

/** Limits how fast one destination is sent to. Time is handed in, in ms that never go back. */
export class TokenBucket {
  readonly #pace: Pace;
  #tokens: number;
  #at: number;

  constructor(pace: Pace, now: number) {
    this.#pace = pace;
    this.#tokens = pace.burst;
    this.#at = now;
  }

  /** Takes a token and tells how long its holder has to wait, in ms; those that wait queue up. */
  take(now: number): number {
    const { perSecond, burst } = this.#pace;
    const gained = ((now - this.#at) / 1_000) * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, gained)) - 1;
    this.#at = Math.max(this.#at, now);
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / perSecond) * 1_000);
  }
}
