import type { Instant } from '../values/instant.ts';
import { formatCredits, type Nanocredits } from '../values/money.ts';
import { utcMonth } from '../values/utc-month.ts';

/** A team or an organisation: what stands above projects. */
export interface Level {
  /** `team/data`, `organisation/acme`. */
  readonly key: string;
  /** What its projects may use in a UTC month together; undefined: any amount. */
  readonly monthlyLimit: Nanocredits | undefined;
  /** Of a team: how much each of its projects may borrow of what its siblings have left. */
  readonly borrowMax: Nanocredits;
  readonly projects: readonly string[];
}

/** What the projects of a level have used and have left, as it was summed last. */
export interface LevelUse {
  readonly month: Instant;
  /** Charged in the month, and accrued. */
  readonly used: Nanocredits;
  /** Sum of the balances of its projects that have a limit. */
  readonly left: Nanocredits;
  readonly asOf: Instant;
}

/** A level as it stands for one project. */
export interface LevelState {
  readonly level: Level;
  /** Undefined until it was summed for the first time. */
  readonly use: LevelUse | undefined;
}

export interface LevelRefusal {
  readonly key: string;
  readonly reason: 'level-exhausted' | 'estimate-exceeds-level';
  readonly message: string;
}

/** What the level has used this month; a sum of another month tells nothing of it. */
export function usedNow({ use }: LevelState, now: Instant): Nanocredits {
  return use?.month === utcMonth(now) ? use.used : 0n;
}

/**
 * How far below zero a project's balance may go on its siblings' credits: at most what they have
 * left together, what others have borrowed taken off.
 *
 * @param balance its own, which the sum of its team has in it
 */
export function borrowingLine(states: readonly LevelState[], balance: Nanocredits): Nanocredits {
  const team = states.find(({ level }) => level.borrowMax > 0n);
  if (team?.use === undefined) return 0n;
  const siblings = team.use.left - balance;
  if (siblings <= 0n) return 0n;
  const { borrowMax } = team.level;
  if (siblings > borrowMax) return borrowMax;
  return siblings;
}

/** What a project owes to its siblings; its next grant pays it before anything else. */
export function borrowedNow(states: readonly LevelState[], balance: Nanocredits): Nanocredits {
  const borrows = states.some(({ level }) => level.borrowMax > 0n);
  return borrows && balance < 0n ? -balance : 0n;
}

function refusalOf(
  key: string,
  room: Nanocredits,
  estimate: Nanocredits,
  what: string,
): LevelRefusal | undefined {
  if (room <= 0n) {
    const message = `${key} has no credits left (${formatCredits(room)} ${what})`;
    return { key, reason: 'level-exhausted', message };
  }
  if (estimate <= room) return undefined;
  const message = `the job would cost ${formatCredits(estimate)} credits, ${key} has ${formatCredits(room)} ${what}`;
  return { key, reason: 'estimate-exceeds-level', message };
}

/**
 * Does every level above a project have room? Its month's limit must hold the estimate, and in a
 * team that lends, what all its projects have left must too: no credit is spent by who lent it and
 * by who borrowed it.
 *
 * @param question.limited whether the project has a limit of its own
 * @returns the first that refuses, lowest first
 */
export function evaluateLevels(
  states: readonly LevelState[],
  question: {
    readonly estimate: Nanocredits | undefined;
    readonly limited: boolean;
    readonly now: Instant;
  },
): LevelRefusal | undefined {
  const { estimate = 0n, limited, now } = question;
  for (const state of states) {
    const { key, monthlyLimit, borrowMax } = state.level;
    if (monthlyLimit !== undefined) {
      const room = monthlyLimit - usedNow(state, now);
      const refusal = refusalOf(key, room, estimate, 'of its limit of the month');
      if (refusal !== undefined) return refusal;
    }
    if (borrowMax > 0n && limited && state.use !== undefined) {
      const refusal = refusalOf(key, state.use.left, estimate, 'in all its projects');
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}
