import type { QuotaReason } from '../contracts/rest.ts';
import { formatCredits, type Nanocredits } from '../values/money.ts';
import { formatPriceStep, type PriceStep } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';
import type { Resources } from '../values/resources.ts';
import { quantityOf, rateQuantity } from './rate-interval.ts';

/** What a project has left; what its running containers have used is already taken off. */
export interface QuotaAccount {
  readonly granted: Nanocredits;
  readonly charged: Nanocredits;
  readonly accrued: Nanocredits;
  /** No grant was ever given: nothing is enforced. */
  readonly unlimited: boolean;
}

/** What a job will hold, and for how long. */
export interface PlannedUse {
  readonly resources: Resources;
  readonly durationMs: number;
}

export interface QuotaQuestion {
  readonly project: string;
  /** Undefined for a project that nobody knows. */
  readonly account: QuotaAccount | undefined;
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
}

/** What is left: granted − charged − accrued. */
export function balanceOf(account: Omit<QuotaAccount, 'unlimited'>): Nanocredits {
  return account.granted - account.charged - account.accrued;
}

/** What a plan costs when the price stays as it is. */
export function estimateUse(planned: PlannedUse, step: PriceStep, card: RateCard): Nanocredits {
  const quantity = quantityOf({ start: 0, end: planned.durationMs, resources: planned.resources });
  return rateQuantity(quantity, step, card);
}

/**
 * May a job start? A balance of zero or less refuses, and so does a plan that costs more than the
 * balance; one that costs exactly the balance passes. A project without any grant is not limited.
 */
export function evaluateQuota(question: QuotaQuestion): QuotaVerdict {
  const { project, account, step, card, planned } = question;
  const estimate = planned === undefined ? undefined : estimateUse(planned, step, card);
  if (account === undefined) {
    const message = `project ${project} is unknown: grant it credits, or correct its name`;
    return { allowed: false, reason: 'unknown-project', message, balance: 0n, estimate };
  }
  const balance = balanceOf(account);
  if (account.unlimited) {
    const message = `project ${project} has no limit: it was never granted credits`;
    return { allowed: true, reason: 'unlimited', message, balance, estimate };
  }
  if (balance <= 0n) {
    const message = `project ${project} has no credits left (${formatCredits(balance)})`;
    return { allowed: false, reason: 'balance-exhausted', message, balance, estimate };
  }
  if (estimate !== undefined && estimate > balance) {
    const message = `the job would cost ${formatCredits(estimate)} credits at ${formatPriceStep(step)}, project ${project} has ${formatCredits(balance)}`;
    return { allowed: false, reason: 'estimate-exceeds-balance', message, balance, estimate };
  }
  const message = `project ${project} has ${formatCredits(balance)} credits left`;
  return { allowed: true, reason: 'ok', message, balance, estimate };
}
