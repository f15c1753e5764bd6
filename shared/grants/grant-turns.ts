import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import { utcMonth } from '../values/utc-month.ts';
import { accountAt, type BurnDown, type HourCharge } from './burn-down.ts';
import { type GivenGrant, grantPieces } from './grant-terms.ts';

/** What will be granted from `at` on if nothing more is charged: a beginning, an end or a new month. */
export interface GrantTurn {
  readonly at: Instant;
  readonly granted: Nanocredits;
}

/** Enough for a ledger that nobody keeps for a year of monthly budgets. */
const TURNS_MAX = 16;
const MONTHS_AHEAD = 13;

/**
 * The burn-down at now with the turns that come, so that a reader who knows them needs nobody to do
 * something when their time has come. A grant that begins beyond the months that are looked ahead
 * comes after all of them.
 */
export function grantTurns(
  grants: readonly GivenGrant[],
  charges: readonly HourCharge[],
  now: Instant,
): { readonly burn: BurnDown; readonly turns: readonly GrantTurn[] } {
  const account = accountAt(grantPieces(grants, utcMonth(now, MONTHS_AHEAD)), charges, now);
  const burn = account.result(now);
  const turns: GrantTurn[] = [];
  for (let at = account.nextTurn(); at !== undefined; at = account.nextTurn()) {
    account.turn(at);
    turns.push({ at, granted: account.granted });
    if (turns.length === TURNS_MAX) break;
  }
  return { burn, turns };
}

/** What is granted at `now`, by the turns that were kept. */
export function grantedAt(
  granted: Nanocredits,
  turns: readonly GrantTurn[],
  now: Instant,
): Nanocredits {
  return turns.findLast(({ at }) => at <= now)?.granted ?? granted;
}
