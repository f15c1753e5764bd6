import type { z } from 'zod';
import type { PriceEpoch } from '../../shared/contracts/charge.ts';
import type { restBalance, restPriceEpoch } from '../../shared/contracts/rest.ts';
import { balanceOf } from '../../shared/rating/evaluate-limits.ts';
import type { Balance } from '../../shared/stores/ledger-reader.ts';
import { formatInstant } from '../../shared/values/instant.ts';
import { formatCredits, type Nanocredits } from '../../shared/values/money.ts';
import type { PriceStep } from '../../shared/values/price-step.ts';

/** `1.15`: two decimals, as restPrices tells a multiplier. */
export function formatMultiplier(step: PriceStep): string {
  return (step / 1_000).toFixed(2);
}

/** The parts of a total, which add up to charged + accrued. */
export function toRestCoverage(total: {
  readonly charged: Nanocredits;
  readonly inferred: Nanocredits;
  readonly accrued: Nanocredits;
}): z.infer<typeof restBalance>['coverage'] {
  return {
    exact: formatCredits(total.charged - total.inferred),
    inferred: formatCredits(total.inferred),
    estimated: formatCredits(total.accrued),
  };
}

export function toRestBalance(balance: Balance, shadow = false): z.infer<typeof restBalance> {
  return {
    ...(shadow ? { shadow } : {}),
    project: balance.project,
    granted: formatCredits(balance.granted),
    charged: formatCredits(balance.charged),
    accrued: formatCredits(balance.accrued),
    reserved: formatCredits(balance.reserved),
    balance: formatCredits(balanceOf(balance)),
    burnPerHour: formatCredits(balance.perHour),
    coverage: toRestCoverage(balance),
    unlimited: balance.unlimited,
    asOf: formatInstant(balance.asOf),
  };
}

export function toRestEpoch(epoch: PriceEpoch): z.infer<typeof restPriceEpoch> {
  return {
    start: formatInstant(epoch.start),
    end: epoch.end === undefined ? null : formatInstant(epoch.end),
    multiplier: formatMultiplier(epoch.step),
    reason: epoch.reason,
  };
}
