import { SECOND_MS } from '../../shared/values/instant.ts';
import { NANOCREDITS_PER_CREDIT } from '../../shared/values/money.ts';

/**
 * Counts second by second what lived, knowing nothing of events, ticks or ledgers: nanocredits at one
 * credit for a core and second.
 */
export function secondsOracle(
  lives: readonly { from: number; until: number; cores?: number }[],
): bigint {
  let millis = 0n;
  for (const { from, until, cores = 1 } of lives) {
    for (let at = from; at < until; at += SECOND_MS) {
      millis += BigInt(Math.min(SECOND_MS, until - at) * cores);
    }
  }
  return (millis * NANOCREDITS_PER_CREDIT) / 1_000n;
}
