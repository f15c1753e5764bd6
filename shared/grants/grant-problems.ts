import { HOUR_MS, type Instant } from '../values/instant.ts';
import { formatCredits, type Nanocredits } from '../values/money.ts';
import { utcMonth } from '../values/utc-month.ts';
import { type GivenGrant, type GrantTerms, termsOf } from './grant-terms.ts';

export interface GrantProblem {
  /** Field of a request or of the configuration. */
  readonly path: 'id' | 'credits' | 'reason' | 'priority' | 'validFrom' | 'expiresAt' | 'rollover';
  readonly message: string;
}

/** Largest integer of a 64-bit column, in which one grant and its entries must find room. */
export const GRANT_MAX: Nanocredits = 2n ** 63n - 1n;
const PRIORITY_MAX = 1_000;
/** Months are given one by one: more than ten years of them are a mistake. */
const MONTHS_MAX = 120;

const magnitude = (amount: Nanocredits): Nanocredits => (amount < 0n ? -amount : amount);

function amountProblems({ amount }: GivenGrant, { monthly }: GrantTerms): GrantProblem[] {
  const problems: GrantProblem[] = [];
  const max = monthly === undefined ? 0n : monthly.max;
  if (magnitude(amount) + (max > 0n ? max : 0n) > GRANT_MAX) {
    const message = `is more than ${formatCredits(GRANT_MAX)} credits at once; split it`;
    problems.push({ path: 'credits', message });
  }
  if (monthly === undefined) return problems;
  if (monthly.min < 0n || monthly.max < monthly.min) {
    const message = 'must have 0 ≤ minimum ≤ maximum';
    problems.push({ path: 'rollover', message });
  }
  return problems;
}

function timeProblems(terms: GrantTerms, now: Instant): GrantProblem[] {
  const { validFrom, expiresAt, monthly } = terms;
  const problems: GrantProblem[] = [];
  const whole = (at: Instant): boolean =>
    monthly === undefined ? at % HOUR_MS === 0 : utcMonth(at) === at;
  const unit = monthly === undefined ? 'hour' : 'month';
  if (!whole(validFrom)) {
    problems.push({ path: 'validFrom', message: `must be the start of a UTC ${unit}` });
  }
  if (expiresAt !== undefined && !whole(expiresAt)) {
    problems.push({ path: 'expiresAt', message: `must be the start of a UTC ${unit}` });
  }
  if (expiresAt !== undefined && expiresAt <= validFrom) {
    problems.push({ path: 'expiresAt', message: 'must be later than the grant is valid from' });
  }
  for (const [path, time] of [
    ['validFrom', validFrom] as const,
    ['expiresAt', expiresAt] as const,
  ]) {
    if (time === undefined || time <= utcMonth(now, MONTHS_MAX)) continue;
    problems.push({ path, message: 'is more than ten years ahead' });
  }
  if (monthly !== undefined && validFrom < utcMonth(now, -MONTHS_MAX)) {
    problems.push({ path: 'validFrom', message: 'gives more than ten years of months at once' });
  }
  return problems;
}

/**
 * All that is wrong with a grant by itself; whether it contradicts one that is there, the store says.
 *
 * @param grant.terms undefined for a grant without any
 */
export function grantProblems(
  grant: GivenGrant & { readonly reason: string },
  now: Instant,
): GrantProblem[] {
  const terms = termsOf(grant);
  const problems = [...amountProblems(grant, terms), ...timeProblems(terms, now)];
  const { priority, expiresAt, monthly } = terms;
  if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX) {
    problems.push({
      path: 'priority',
      message: `must be a whole number from 0 to ${PRIORITY_MAX}`,
    });
  }
  if (grant.amount >= 0n) return problems;
  if (grant.reason.trim() === '') {
    problems.push({ path: 'reason', message: 'must say why credits are taken back' });
  }
  if (expiresAt !== undefined || monthly !== undefined) {
    const message = 'taken back once and for ever: leave out expiry, months and rollover';
    problems.push({ path: 'expiresAt', message });
  }
  return problems;
}
