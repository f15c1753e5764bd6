import type { Instant } from '../values/instant.ts';
import type { Clock } from './clock.ts';

/** Enough to make the same clock in every thread. */
export interface CatchUp {
  /** Where the clock stood at `anchor`. */
  readonly from: Instant;
  /** Real time at which it began. */
  readonly anchor: Instant;
  /** How many times faster than real time it runs until it has reached the present. */
  readonly speed: number;
}

/**
 * A clock that begins in the past and runs faster than time until it reaches the present, then
 * keeps pace with it. It never goes back and never passes the present. For the demo, so that a
 * page that just started has a history to show.
 */
export function catchUpClock(real: Clock, { from, anchor, speed }: CatchUp): Clock {
  const now = (): Instant => {
    const present = real.now();
    return Math.min(present, Math.floor(from + (present - anchor) * speed));
  };
  return {
    now,
    elapsed: () => real.elapsed(),
    async sleep(ms, signal) {
      const behind = real.now() - now();
      // Asleep it may arrive at the present: the part beyond it takes real time.
      const realMs = behind <= 0 ? ms : Math.max(ms / speed, ms - behind);
      await real.sleep(realMs, signal);
    },
  };
}
