import { backoffMs } from '../../../shared/runtime/backoff.ts';
import { type Instant, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import { type Pace, TokenBucket } from './senders/token-bucket.ts';

const BASE_MS = 2 * SECOND_MS;
const CAP_MS = 10 * MINUTE_MS;

/** A wait between half and all of `base · 2^attempt`: never at once, and not all at the same time. */
export function retryWaitMs(attempt: number, random: () => number): number {
  const jittered = backoffMs(attempt, { baseMs: BASE_MS, capMs: CAP_MS, random });
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 30));
  return Math.ceil((ceiling + jittered) / 2);
}

/** How one destination may be reached: its pace, and its rest after a failure. */
export class DestinationGate {
  readonly bucket: TokenBucket;
  #failures = 0;
  #until: Instant = 0;
  #why = '';

  constructor(pace: Pace, elapsed: number) {
    this.bucket = new TokenBucket(pace, elapsed);
  }

  get until(): Instant {
    return this.#until;
  }

  /** Of the last failure. */
  get why(): string {
    return this.#why;
  }

  /** As the outbox remembers from another life or process. */
  keepUntil(until: Instant): void {
    this.#until = Math.max(this.#until, until);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#until = 0;
    this.#why = '';
  }

  /** @returns until when nobody sends to it */
  failed(
    { why, retryAfterMs }: { readonly why: string; readonly retryAfterMs: number | undefined },
    now: Instant,
    random: () => number,
  ): Instant {
    const wait = Math.max(retryAfterMs ?? 0, retryWaitMs(this.#failures, random));
    this.#failures += 1;
    this.#until = now + wait;
    this.#why = why;
    return this.#until;
  }
}
