import type { QuotaReason } from '../contracts/rest.ts';
import type { Instant } from '../values/instant.ts';
import { formatCredits, type Nanocredits } from '../values/money.ts';
import { formatPriceStep, type PriceStep } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';
import type { Resources } from '../values/resources.ts';
import {
  balanceOf,
  evaluateLimits,
  type LimitAccount,
  type LimitRefusal,
  type LimitState,
  type ProjectLimits,
} from './evaluate-limits.ts';
import { minimumCharge } from './minimum-line.ts';
import { quantityOf, rateQuantity } from './rate-interval.ts';

/** What a job will hold, all its containers together. */
export interface PlannedResources extends Resources {
  /** How many; each pays the minimum charge. */
  readonly containers: number;
}

/** What a job will hold, and for how long. */
export interface PlannedUse {
  readonly resources: PlannedResources;
  /** Undefined for as long as it likes: there is no estimate then. */
  readonly durationMs: number | undefined;
}

export interface QuotaQuestion {
  readonly project: string;
  /** Undefined for a project that nobody knows. */
  readonly account: LimitAccount | undefined;
  readonly limits: ProjectLimits;
  readonly now: Instant;
  readonly step: PriceStep;
  readonly card: RateCard;
  /** Undefined when the caller doesn't say what it plans. */
  readonly planned: PlannedUse | undefined;
}

export interface QuotaVerdict {
  readonly allowed: boolean;
  readonly reason: QuotaReason;
  /** One sentence for the person whose job this is. */
  readonly message: string;
  readonly balance: Nanocredits;
  /** At the price now; undefined without a plan. */
  readonly estimate: Nanocredits | undefined;
  /** Every limit that there is, and those that refuse. */
  readonly states: readonly LimitState[];
  readonly refusals: readonly LimitRefusal[];
}

/**
 * What a plan costs when the price stays as it is, its containers being alike: never less than the
 * minimum charge of each.
 */
export function estimateUse(
  { resources, durationMs }: { readonly resources: PlannedResources; readonly durationMs: number },
  step: PriceStep,
  card: RateCard,
): Nanocredits {
  // A container without any length pays nothing (minimumLine).
  if (durationMs <= 0) return 0n;
  const cost = rateQuantity(quantityOf({ start: 0, end: durationMs, resources }), step, card);
  const least = minimumCharge(card, 100) * BigInt(resources.containers);
  return cost > least ? cost : least;
}

/**
 * May a job start? By evaluateLimits: a balance of zero or less refuses, and so does a plan that
 * costs more than what is left; one that costs exactly that passes. The reason is the first
 * refusal's.
 */
export function evaluateQuota(question: QuotaQuestion): QuotaVerdict {
  const { project, account, step, card, planned, limits, now } = question;
  const { resources, durationMs } = planned ?? {};
  const estimate =
    resources === undefined || durationMs === undefined
      ? undefined
      : estimateUse({ resources, durationMs }, step, card);
  if (account === undefined) {
    const message = `project ${project} is unknown: grant it credits, or correct its name`;
    const none = { balance: 0n, estimate, states: [], refusals: [] };
    return { allowed: false, reason: 'unknown-project', message, ...none };
  }
  const use = { cost: estimate, millicores: resources?.millicores ?? 0 };
  const looked = evaluateLimits(account, limits, use, now);
  const rest = { balance: balanceOf(account), estimate, ...looked };
  const [first] = looked.refusals;
  if (first !== undefined) {
    const price = estimate === undefined ? '' : ` (at ${formatPriceStep(step)})`;
    const message = `project ${project}: ${looked.refusals.map((one) => one.message).join('; ')}${price}`;
    return { allowed: false, reason: first.code, message, ...rest };
  }
  if (account.unlimited) {
    const message = `project ${project} has no limit of credits: it was never granted any`;
    return { allowed: true, reason: 'unlimited', message, ...rest };
  }
  const message = `project ${project} has ${formatCredits(rest.balance)} credits left`;
  return { allowed: true, reason: 'ok', message, ...rest };
}
