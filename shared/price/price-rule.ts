import type { PriceStep } from '../values/price-step.ts';
import type { Resources } from '../values/resources.ts';

/** Goes into every epoch; a changed rule has another version, since recorded epochs never change. */
export const PRICE_RULE_VERSION = 'load-2';

/** Distance of two rungs of the ladder, in thousandths of the base price. */
export const LADDER_STEP = 50;

/**
 * How load moves the price. Shares are of capacity (1 = full), factors apply per `factorPeriodMs`.
 * The defaults are those of the simulation that chose the rule: against a price that follows load
 * unsmoothed, half the overload with a 44th of the reversals.
 */
export interface PriceRule {
  /** No move while true. */
  readonly frozen: boolean;
  /** Smoothing per period while load rises, and while it falls. */
  readonly riseFactor: number;
  readonly fallFactor: number;
  readonly factorPeriodMs: number;
  /** Load above which the price rises. */
  readonly knee: number;
  /** Price per load above the knee: 1 + slope · (load − knee) / (1 − knee). */
  readonly slope: number;
  readonly cap: PriceStep;
  /** Lowest step, reached at no load; 1000 means no discount. */
  readonly floor: PriceStep;
  /** Load below which the discount begins. */
  readonly quiet: number;
  readonly moveMax: PriceStep;
  readonly holdMs: number;
  readonly noticeMs: number;
  readonly evaluateMs: number;
  /** Load older than this never raises. */
  readonly staleMs: number;
  /** Without load for this long the price steps down to the base. */
  readonly lostMs: number;
  /** Most that one project's waiting demand counts for, as a share of its cluster's capacity. */
  readonly pendingCap: number;
  /** Demand counts in full once it has waited this long, in part before. */
  readonly pendingAgeMs: number;
  /** What autoscalers may make of clusters: it counts as there. By cluster. */
  readonly capacityMax: Readonly<Record<string, Resources>>;
}

export const DEFAULT_PRICE_RULE: PriceRule = {
  frozen: false,
  riseFactor: 0.1,
  fallFactor: 0.03,
  factorPeriodMs: 10_000,
  knee: 0.6,
  slope: 2,
  cap: 3_000,
  floor: 1_000,
  quiet: 0.3,
  moveMax: 100,
  holdMs: 300_000,
  noticeMs: 60_000,
  evaluateMs: 60_000,
  staleMs: 60_000,
  lostMs: 600_000,
  pendingCap: 0.25,
  pendingAgeMs: 120_000,
  capacityMax: {},
};

/** What the price would be at this smoothed load, before ladder, hold and step limit. */
export function targetPrice(load: number, rule: PriceRule): number {
  if (load < rule.quiet && rule.floor < 1_000) {
    return rule.floor + ((1_000 - rule.floor) * Math.max(0, load)) / rule.quiet;
  }
  const excess = Math.max(0, load - rule.knee) / (1 - rule.knee);
  return Math.min(rule.cap, 1_000 * (1 + rule.slope * excess));
}
