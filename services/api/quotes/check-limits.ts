import type { QUOTE_LIMITS } from '../../../shared/contracts/rest-quote.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';
import { formatCredits, type Nanocredits } from '../../../shared/values/money.ts';
import { formatPriceStep, type PriceStep } from '../../../shared/values/price-step.ts';
import type { QuoteForecast } from './evaluate-quote.ts';
import type { StartForecast } from './predict-start.ts';

/** What somebody wants of a run. */
export interface WantedLimits {
  readonly maxStep: PriceStep | undefined;
  readonly maxCost: Nanocredits | undefined;
  readonly deadline: Instant | undefined;
}

export interface CheckedLimit {
  readonly kind: (typeof QUOTE_LIMITS)[number];
  /** `at-risk`: kept when all goes as expected, and not when it goes as it sometimes did. */
  readonly state: 'met' | 'at-risk' | 'missed' | 'unknown';
  readonly message: string;
}

interface Forecast extends QuoteForecast {
  readonly now: Instant;
  /** What is paid from now on: the promised price, or the pool's. */
  readonly nowStep: PriceStep;
  /** Highest price that is known of the expected run. */
  readonly highestStep: PriceStep;
  /** Undefined without a maximum of the multiplier. */
  readonly start: StartForecast | undefined;
}

function multiplierLimit({ nowStep, highestStep }: Forecast, max: PriceStep): CheckedLimit {
  const kind = 'max-multiplier';
  const wanted = formatPriceStep(max);
  if (nowStep > max) {
    const message = `the price is ${formatPriceStep(nowStep)}, above ${wanted}`;
    return { kind, state: 'missed', message };
  }
  if (highestStep > max) {
    const message = `the price rises to ${formatPriceStep(highestStep)}, above ${wanted}, while it runs; lock it`;
    return { kind, state: 'at-risk', message };
  }
  return { kind, state: 'met', message: `the price is ${formatPriceStep(nowStep)}` };
}

function costLimit({ cost }: Forecast, max: Nanocredits): CheckedLimit {
  const kind = 'max-cost';
  if (cost === undefined) {
    const message = 'nothing is known of its cost: it has no earlier runs, and no plan was given';
    return { kind, state: 'unknown', message };
  }
  const { expected, high } = cost;
  const wanted = `${formatCredits(max)} credits`;
  if (expected > max) {
    const message = `it is expected to cost ${formatCredits(expected)} credits, above ${wanted}`;
    return { kind, state: 'missed', message };
  }
  if (high > max) {
    const message = `it may cost ${formatCredits(high)} credits, above ${wanted}`;
    return { kind, state: 'at-risk', message };
  }
  return { kind, state: 'met', message: `it is expected to cost at most ${formatCredits(high)}` };
}

/** When it starts, as expected and at the latest; undefined where that can't be told. */
function startOf({
  start,
  now,
}: Forecast): { at: Instant; latest: Instant | undefined } | undefined {
  if (start === undefined) return { at: now, latest: now };
  if (start.state === 'unknown') return undefined;
  return { at: start.at, latest: start.state === 'predicted' ? start.latest : start.at };
}

function deadlineLimit(forecast: Forecast, deadline: Instant): CheckedLimit {
  const kind = 'deadline';
  const { durationMs, now } = forecast;
  const wanted = formatInstant(deadline);
  if (deadline <= now) return { kind, state: 'missed', message: `${wanted} is over` };
  const start = startOf(forecast);
  if (durationMs === undefined || start === undefined) {
    const what = durationMs === undefined ? 'how long it runs' : 'when the price comes down';
    return { kind, state: 'unknown', message: `it can't be told ${what}` };
  }
  const end = start.at + durationMs.expected;
  if (end > deadline) {
    const message = `it is expected to end ${formatInstant(end)}, after ${wanted}`;
    return { kind, state: 'missed', message };
  }
  const { latest = Number.POSITIVE_INFINITY } = start;
  if (latest + durationMs.high > deadline) {
    const message = `it is expected to end ${formatInstant(end)}, and may end after ${wanted}`;
    return { kind, state: 'at-risk', message };
  }
  return { kind, state: 'met', message: `it is expected to end ${formatInstant(end)}` };
}

/** How each limit that was asked for stands. */
export function checkLimits(forecast: Forecast, wanted: WantedLimits): CheckedLimit[] {
  const { maxStep, maxCost, deadline } = wanted;
  return [
    ...(maxStep === undefined ? [] : [multiplierLimit(forecast, maxStep)]),
    ...(maxCost === undefined ? [] : [costLimit(forecast, maxCost)]),
    ...(deadline === undefined ? [] : [deadlineLimit(forecast, deadline)]),
  ];
}
