import { DAY_MS, type Instant } from '../../../shared/values/instant.ts';
import type { PriceStep } from '../../../shared/values/price-step.ts';
import { spreadOf } from './forecast-cost.ts';

/** A price from `start` until the next one starts. */
export interface PricePoint {
  readonly start: Instant;
  readonly step: PriceStep;
}

/** When the price comes down to what somebody would pay. */
export type StartForecast =
  | { readonly state: 'now' | 'announced'; readonly at: Instant }
  | {
      readonly state: 'predicted';
      readonly at: Instant;
      readonly earliest: Instant;
      /** Undefined when it once took longer than a week. */
      readonly latest: Instant | undefined;
      /** How many times it was as now. */
      readonly cases: number;
      readonly like: 'hour-of-week' | 'hour-of-day';
    }
  | { readonly state: 'unknown'; readonly cases: number };

const WEEK_MS = 7 * DAY_MS;
const LOOK_BACK_MS = 4 * WEEK_MS;
/** Fewer cases than this say nothing. */
const WEEKS_MIN = 3;
const DAYS_MIN = 5;

/** How far back prices are read. */
export const HISTORY_MS = LOOK_BACK_MS;

/**
 * How long it took from an earlier time on until the price was low enough, at most a week. Undefined
 * where no price is recorded, or it was low enough already: that time wasn't as it is now.
 */
function waitFrom(at: Instant, points: readonly PricePoint[], max: PriceStep): number | undefined {
  const inForce = points.findLast(({ start }) => start <= at);
  if (inForce === undefined || inForce.step <= max) return undefined;
  const low = points.find(({ start, step }) => start > at && step <= max);
  return low === undefined ? WEEK_MS : Math.min(WEEK_MS, low.start - at);
}

/** Waits at the same time of earlier periods; only such as had a whole week to end since. */
function waits(
  points: readonly PricePoint[],
  question: { readonly now: Instant; readonly max: PriceStep; readonly every: number },
): number[] {
  const { now, max, every } = question;
  const found: number[] = [];
  for (let back = WEEK_MS; back <= LOOK_BACK_MS; back += every) {
    const wait = waitFrom(now - back, points, max);
    if (wait !== undefined) found.push(wait);
  }
  return found;
}

/**
 * When a price of at most `max` is to be expected. What is announced is certain; beyond that, the
 * waits from the same hour of earlier weeks on, when the price was too high as it is now; else from
 * the same hour of earlier days on; else it can't be told.
 *
 * @param points of the last four weeks and of what is announced, in order of start
 */
export function predictStart(
  points: readonly PricePoint[],
  now: Instant,
  max: PriceStep,
): StartForecast {
  const current = points.findLast(({ start }) => start <= now);
  if ((current?.step ?? 1_000) <= max) return { state: 'now', at: now };
  const announced = points.find(({ start, step }) => start > now && step <= max);
  if (announced !== undefined) return { state: 'announced', at: announced.start };
  const past = points.filter(({ start }) => start <= now);
  const weekly = waits(past, { now, max, every: WEEK_MS });
  const like = weekly.length >= WEEKS_MIN ? 'hour-of-week' : 'hour-of-day';
  const cases = like === 'hour-of-week' ? weekly : waits(past, { now, max, every: DAY_MS });
  const spread = spreadOf(cases);
  const enough = like === 'hour-of-week' || cases.length >= DAYS_MIN;
  if (!enough || spread === undefined || spread.expected >= WEEK_MS) {
    return { state: 'unknown', cases: cases.length };
  }
  return {
    state: 'predicted',
    at: now + spread.expected,
    earliest: now + spread.low,
    latest: spread.high >= WEEK_MS ? undefined : now + spread.high,
    cases: cases.length,
    like,
  };
}
