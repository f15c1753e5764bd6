import { HOUR_MS, type Instant, utcHour } from '../../../shared/values/instant.ts';
import type { Interval } from '../../../shared/values/interval.ts';
import type { Nanocredits } from '../../../shared/values/money.ts';

/** Credits that come at a time. */
export interface CreditChange {
  readonly at: Instant;
  readonly credits: Nanocredits;
  /** A budget that begins anew: what was left, or owed, is gone. */
  readonly replaces: boolean;
}

/** How a balance went, to the hour. */
export interface BudgetCourse {
  /** End of the first hour after which nothing was left. */
  readonly exhaustedAt: Instant | undefined;
  readonly lowest: Nanocredits;
  /** In which an application that starts is refused. */
  readonly refusing: readonly Interval[];
}

/**
 * Follows a balance through a window, hour by hour: credits of an hour come before its charges, and
 * a balance of zero or less refuses from the end of that hour on. What refused applications would
 * have saved isn't given back: the course is that of what really ran.
 *
 * @param window whole hours
 * @param hours what each hour is charged
 */
export function followBudget(
  opening: Nanocredits,
  changes: readonly CreditChange[],
  hours: ReadonlyMap<Instant, Nanocredits>,
  window: Interval,
): BudgetCourse {
  const byHour = Map.groupBy(
    changes.toSorted((a, b) => a.at - b.at),
    ({ at }) => utcHour(at),
  );
  const refusing: Interval[] = [];
  let balance = opening;
  let lowest: Nanocredits | undefined;
  let since: Instant | undefined;
  for (let hour = window.start; hour < window.end; hour += HOUR_MS) {
    for (const { credits, replaces } of byHour.get(hour) ?? []) {
      balance = replaces ? credits : balance + credits;
    }
    if (balance > 0n && since !== undefined) {
      refusing.push({ start: since, end: hour });
      since = undefined;
    } else if (balance <= 0n) since ??= hour;
    balance -= hours.get(hour) ?? 0n;
    if (lowest === undefined || balance < lowest) lowest = balance;
  }
  if (since !== undefined) refusing.push({ start: since, end: window.end });
  // Used up in the last hour: nobody was refused any more.
  const atEnd = balance <= 0n ? window.end : undefined;
  return { exhaustedAt: refusing[0]?.start ?? atEnd, lowest: lowest ?? opening, refusing };
}
