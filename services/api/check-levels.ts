import {
  borrowingLine,
  evaluateLevels,
  type Level,
  type LevelState,
} from '../../shared/grants/evaluate-levels.ts';
import type { LimitAccount } from '../../shared/rating/evaluate-limits.ts';
import type { QuotaVerdict } from '../../shared/rating/evaluate-quota.ts';
import type { LevelReader } from '../../shared/stores/level-store.ts';
import type { Instant } from '../../shared/values/instant.ts';

/** The levels above projects, as configured and as they are kept. */
export interface ApiLevels {
  /** Of a project, its team first. */
  readonly above: (project: string) => readonly Level[];
  readonly reader: LevelReader;
}

/** The levels above a project as they stand; at once where there are none. */
export function readLevels(
  levels: ApiLevels | undefined,
  project: string,
): readonly LevelState[] | Promise<readonly LevelState[]> {
  const above = levels?.above(project) ?? [];
  if (levels === undefined || above.length === 0) return [];
  return levels.reader
    .uses(above.map(({ key }) => key))
    .then((uses) => above.map((level) => ({ level, use: uses.get(level.key) })));
}

/** The account with what it may borrow, for a verdict alone. */
export function withBorrowing<A extends LimitAccount>(
  account: A,
  states: readonly LevelState[],
  balance: bigint,
): A {
  if (account.unlimited) return account;
  return { ...account, granted: account.granted + borrowingLine(states, balance) };
}

/** The verdict on the project, unless a level above it refuses; then that one's. */
export function underLevels<V extends QuotaVerdict>(
  verdict: V,
  states: readonly LevelState[],
  now: Instant,
): V & { readonly level: string | null } {
  if (!verdict.allowed) return { ...verdict, level: null };
  const limited = verdict.reason !== 'unlimited';
  const refusal = evaluateLevels(states, { estimate: verdict.estimate, limited, now });
  if (refusal === undefined) return { ...verdict, level: null };
  const { key, reason, message } = refusal;
  return { ...verdict, allowed: false, reason, message, level: key };
}
