import {
  ACTIVITY_SIGNALS,
  type ActivitySight,
} from '../../../../shared/clusters/cluster-actuator.ts';
import { formatInstant, type Instant } from '../../../../shared/values/instant.ts';

export interface IdleLimits {
  readonly now: Instant;
  /** How long there must have been nothing. */
  readonly windowMs: number;
  /** How old an answer about activity may be. */
  readonly freshMs: number;
  readonly clockToleranceMs: number;
}

export interface IdleDecision {
  readonly verdict: 'idle' | 'active' | 'unknown';
  /** One line for each signal that speaks against idle. */
  readonly why: readonly string[];
}

/**
 * Whether a cluster has done nothing for the window. Every signal must be known, lately told and
 * older than the window, by each source that tells it: a stream between two triggers has no job, a
 * driver that computes alone has neither (spark-formats.md, trap 31). Unknown is not idle.
 */
export function decideClusterIdle(
  activity: readonly ActivitySight[],
  limits: IdleLimits,
): IdleDecision {
  const { now, windowMs, freshMs, clockToleranceMs } = limits;
  const active: string[] = [];
  const unknown: string[] = [];
  for (const signal of ACTIVITY_SIGNALS) {
    const sights = activity.filter((sight) => sight.signal === signal);
    if (sights.length === 0) unknown.push(`${signal}: nobody tells`);
    for (const { lastAt, asOf, source } of sights) {
      const isOld = now - asOf > freshMs || asOf - now > clockToleranceMs;
      if (lastAt !== undefined && now - lastAt < windowMs) {
        active.push(`${signal}: ${formatInstant(lastAt)} by ${source}`);
      } else if (lastAt === undefined || isOld) {
        unknown.push(
          `${signal}: ${isOld ? `told ${formatInstant(asOf)}` : 'unknown'} by ${source}`,
        );
      }
    }
  }
  if (active.length > 0) return { verdict: 'active', why: active };
  return unknown.length > 0 ? { verdict: 'unknown', why: unknown } : { verdict: 'idle', why: [] };
}
