import { DAY_MS, HOUR_MS, type Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';

/** What a project used in one UTC hour. */
export interface UsedHour {
  readonly hour: Instant;
  readonly amount: Nanocredits;
  readonly millicoreMs: bigint;
}

export interface QuotaSuggestion {
  /** From the first hour with use to the end of the window; 0 for a project that used nothing. */
  readonly hours: number;
  /** Whole weeks that were looked at; 0 where the history is shorter and was scaled up to one. */
  readonly weeks: number;
  /** Median of the newer weeks : of the older ones, in thousandths; from 1,000 (not growing) to 2,000. */
  readonly growth: number;
  /** Budget of an average month (a twelfth of 365.25 days). */
  readonly monthlyBudget: Nanocredits;
  /** Cores at a time. */
  readonly millicores: number;
  /** Credits to hold for each hour of an unbounded job's lease. */
  readonly reservationPerHour: Nanocredits;
}

const WEEK_HOURS = 168n;
const WEEK_MS = 7 * DAY_MS;
/** 365.25 / 12 days, in hours: 730.5. */
const MONTH_HALF_HOURS = 1_461n;
const GROWTH_MAX = 2_000n;

const ascending = (a: bigint, b: bigint): number => (a === b ? 0 : a < b ? -1 : 1);

/** Nearest rank: the smallest value that at least this share doesn't exceed; 0 for none. */
function quantile(values: readonly bigint[], percent: number): bigint {
  const sorted = [...values].sort(ascending);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0n;
}

const p95 = (values: readonly bigint[]): bigint => quantile(values, 95);
const median = (values: readonly bigint[]): bigint => quantile(values, 50);

/** Rounded up to two significant digits: a limit is a round number. */
function roundUp(value: bigint): bigint {
  const digits = value.toString().length;
  const unit = digits <= 2 ? 1n : 10n ** BigInt(digits - 2);
  return ((value + unit - 1n) / unit) * unit;
}

/** Sums of spans of `spanMs` that end at `until`, oldest first; what is before the first is left out. */
function spans(used: readonly UsedHour[], until: Instant, spanMs: number, count: number): bigint[] {
  const sums = Array.from({ length: count }, () => 0n);
  for (const { hour, amount } of used) {
    const back = Math.floor((until - 1 - hour) / spanMs);
    const index = count - 1 - back;
    if (index >= 0 && index < count) sums[index] = (sums[index] ?? 0n) + amount;
  }
  return sums;
}

/** By the median weeks of both halves, so that one wild week is no growth. */
function growthOf(weeks: readonly bigint[]): bigint {
  const half = Math.floor(weeks.length / 2);
  const older = median(weeks.slice(0, half));
  const newer = median(weeks.slice(weeks.length - half));
  if (half === 0 || older <= 0n) return 1_000n;
  const growth = (newer * 1_000n) / older;
  return growth < 1_000n ? 1_000n : growth > GROWTH_MAX ? GROWTH_MAX : growth;
}

/** The busiest hour of each day that had any, in mean millicores. */
function dailyPeaks(used: readonly UsedHour[]): bigint[] {
  const peaks = new Map<number, bigint>();
  for (const { hour, millicoreMs } of used) {
    const day = Math.floor(hour / DAY_MS);
    const mean = (millicoreMs + BigInt(HOUR_MS) - 1n) / BigInt(HOUR_MS);
    if (mean > (peaks.get(day) ?? 0n)) peaks.set(day, mean);
  }
  return [...peaks.values()];
}

/**
 * Proposes limits that would have let 95 % of the past through, grown on and with headroom:
 *
 * - budget: p95 of the weeks, × month / week, × growth, × headroom, two significant digits, up
 * - cores: p95 of the days' busiest hours (means: what peaked for less than an hour is not seen),
 *   × growth, × headroom, up to a whole core
 * - reservation: p95 of the hours with use, × headroom
 *
 * @param used hours with use, each once, corrections included
 * @param window whole UTC hours
 * @param headroomPercent 0 and more
 */
export function suggestQuota(
  used: readonly UsedHour[],
  window: { readonly from: Instant; readonly until: Instant },
  headroomPercent: number,
): QuotaSuggestion {
  const inside = used.filter(({ hour }) => hour >= window.from && hour < window.until);
  const first = inside.reduce((least, { hour }) => Math.min(least, hour), window.until);
  const hours = Math.ceil((window.until - first) / HOUR_MS);
  const weeks = Math.floor((window.until - first) / WEEK_MS);
  const whole = inside.reduce((sum, { amount }) => sum + amount, 0n);
  const weekly =
    weeks > 0
      ? spans(inside, window.until, WEEK_MS, weeks)
      : [hours > 0 ? (whole * WEEK_HOURS) / BigInt(hours) : 0n];
  const growth = growthOf(weekly);
  const headroom = 100n + BigInt(Math.max(0, Math.round(headroomPercent)));
  const grown = (value: bigint): bigint => {
    const scaled = value * growth * headroom;
    return scaled <= 0n ? 0n : (scaled + 99_999n) / 100_000n;
  };
  const monthly = (p95(weekly) * MONTH_HALF_HOURS) / (2n * WEEK_HOURS);
  const millicores = grown(p95(dailyPeaks(inside)));
  const perHour = (p95(inside.map(({ amount }) => amount)) * headroom) / 100n;
  return {
    hours,
    weeks,
    growth: Number(growth),
    monthlyBudget: roundUp(grown(monthly)),
    millicores: Number(((millicores + 999n) / 1_000n) * 1_000n),
    reservationPerHour: perHour <= 0n ? 0n : roundUp(perHour),
  };
}
