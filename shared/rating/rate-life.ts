import type { Charge, PriceEpoch } from '../contracts/charge.ts';
import type { ContainerLife } from '../intervals/container-life.ts';
import { HOUR_MS, type Instant, utcHour } from '../values/instant.ts';
import type { Interval } from '../values/interval.ts';
import { clipIntervals } from './rate-interval.ts';
import type { RatedLine, Tariff } from './tariff.ts';

/** A line that should be in force, with how sure its hour is. */
export interface LifeLine extends RatedLine {
  readonly coverage: Charge['coverage'];
}

export interface LifePrices {
  readonly tariff: Tariff;
  /** Of the container's pool, in order of start. */
  readonly epochs: readonly PriceEpoch[];
  /** Who pays, whose price a card may fix. */
  readonly project: string;
  /** Of the price that the container's outcome pays. */
  readonly percent: number;
}

export interface ChargeableSpan {
  /** It has ended, as far as anybody knows. */
  readonly over: boolean;
  /** Last evidence, and not in the future. */
  readonly seenEnd: Instant;
  /** Charged up to here: its end, or the whole hours before its last evidence. */
  readonly chargedUntil: Instant;
}

/**
 * How much of a life is charged by now. Beyond what is witnessed, an hour charged now could turn
 * out to have been seen after all; beyond now, prices may still be announced.
 */
export function chargeableSpan(life: ContainerLife, now: Instant): ChargeableSpan {
  const seenEnd = Math.min(life.witnessedUntil, Math.max(now, life.start));
  const over = life.coverage !== 'open' && life.end <= now;
  return { over, seenEnd, chargedUntil: over ? life.end : utcHour(seenEnd) };
}

/** An hour is sure when the container was seen throughout, however its end came to be known. */
function coverageOf(hour: Instant, life: ContainerLife): LifeLine['coverage'] {
  const seen = hour + HOUR_MS <= life.witnessedUntil;
  return life.coverage === 'exact' || seen ? 'exact' : 'inferred';
}

/** The charge lines of the part of a life inside a window, whose ends are whole hours or open. */
export function rateLife(
  life: ContainerLife,
  window: Interval,
  { tariff, epochs, project, percent }: LifePrices,
): LifeLine[] {
  return tariff
    .rate(clipIntervals(life.intervals, window), epochs, { project, percent })
    .map((line) => ({ ...line, coverage: coverageOf(line.hour, life) }));
}
