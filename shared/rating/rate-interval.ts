import {
  addQuantity,
  type ChargeLine,
  type PriceEpoch,
  type Quantity,
} from '../contracts/charge.ts';
import { divideHalfEven } from '../values/divide-half-even.ts';
import { type Instant, utcHour } from '../values/instant.ts';
import { cutAtUtcHours, type Interval, intersect } from '../values/interval.ts';
import type { Nanocredits } from '../values/money.ts';
import { BASE_STEP, type PriceStep } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';
import type { Resources } from '../values/resources.ts';

/** A container's span with one resource vector. */
export interface ResourceInterval extends Interval {
  readonly resources: Resources;
}

const MILLICORES_PER_CORE = 1_000n;
const MIB_PER_GIB = 1_024n;
/** Least common multiple of the two, so that one division serves all resources. */
const UNIT = 128_000n;
const MS_PER_SECOND = 1_000n;

export function quantityOf(interval: ResourceInterval): Quantity {
  const ms = BigInt(Math.max(0, interval.end - interval.start));
  return {
    containerMs: ms,
    millicoreMs: ms * BigInt(interval.resources.millicores),
    mibMs: ms * BigInt(interval.resources.memoryMib),
    gpuMs: ms * BigInt(interval.resources.gpus),
  };
}

/**
 * amount = (cores·coreSecond + GiB·gibSecond + GPUs·gpuSecond) · seconds · step/1000 · percent/100, rounded once,
 * half to even; by the `dominant` rule the largest of the three in place of their sum. This is the
 * only rounding between resources and credits.
 *
 * @param percent of the price that the container's outcome pays
 */
export function rateQuantity(
  quantity: Quantity,
  step: PriceStep,
  card: RateCard,
  percent = 100,
): Nanocredits {
  const cores = quantity.millicoreMs * card.coreSecond * (UNIT / MILLICORES_PER_CORE);
  const memory = quantity.mibMs * card.gibSecond * (UNIT / MIB_PER_GIB);
  const gpus = quantity.gpuMs * card.gpuSecond * UNIT;
  const weighted =
    card.rule === 'dominant'
      ? [memory, gpus].reduce((most, one) => (one > most ? one : most), cores)
      : cores + memory + gpus;
  const { scale = 1n } = card;
  const numerator = weighted * BigInt(step) * BigInt(percent);
  return divideHalfEven(numerator, UNIT * MS_PER_SECOND * 1_000n * 100n * scale);
}

/** Index of the last epoch that starts at or before `at`, or -1. `epochs` is in order of start. */
function epochAt(epochs: readonly PriceEpoch[], at: Instant): number {
  let low = 0;
  let high = epochs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((epochs[middle]?.start ?? Number.POSITIVE_INFINITY) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Cuts a span where the price changes. Time that no epoch covers has the base step. */
export function cutAtEpochs(
  interval: Interval,
  epochs: readonly PriceEpoch[],
): (Interval & { readonly step: PriceStep })[] {
  const pieces: (Interval & { step: PriceStep })[] = [];
  let start = interval.start;
  let index = epochAt(epochs, start);
  while (start < interval.end) {
    const epoch = epochs[index];
    const next = epochs[index + 1]?.start ?? Number.POSITIVE_INFINITY;
    const covered = epoch !== undefined && (epoch.end === undefined || epoch.end > start);
    const epochEnd = covered ? (epoch.end ?? next) : next;
    const end = Math.min(interval.end, epochEnd, next);
    pieces.push({ start, end, step: covered ? epoch.step : BASE_STEP });
    if (end >= next) index += 1;
    start = end;
  }
  return pieces;
}

/**
 * The charge lines of one container: one for each (UTC hour, price step), in order of both.
 * Quantities of a line are summed before its one rounding, so that neither the order nor the
 * splitting of intervals changes an amount.
 *
 * @param intervals of one container, not overlapping
 * @param epochs of its pool, in order of start
 */
export function rateIntervals(
  intervals: readonly ResourceInterval[],
  epochs: readonly PriceEpoch[],
  card: RateCard,
  percent = 100,
): ChargeLine[] {
  const lines = new Map<string, { hour: Instant; step: PriceStep; quantity: Quantity }>();
  for (const interval of intervals) {
    for (const hour of cutAtUtcHours(interval)) {
      for (const piece of cutAtEpochs(hour, epochs)) {
        const start = utcHour(piece.start);
        const key = `${start}/${piece.step}`;
        const quantity = quantityOf({ ...piece, resources: interval.resources });
        const line = lines.get(key);
        if (line === undefined) lines.set(key, { hour: start, step: piece.step, quantity });
        else line.quantity = addQuantity(line.quantity, quantity);
      }
    }
  }
  return [...lines.values()]
    .sort((a, b) => a.hour - b.hour || a.step - b.step)
    .map((line) => ({ ...line, amount: rateQuantity(line.quantity, line.step, card, percent) }));
}

/** The part of the intervals inside a window. */
export function clipIntervals(
  intervals: readonly ResourceInterval[],
  window: Interval,
): ResourceInterval[] {
  return intervals.flatMap((interval) => {
    const clipped = intersect(interval, window);
    return clipped === undefined ? [] : [{ ...clipped, resources: interval.resources }];
  });
}
