import type { Charge, PriceEpoch } from '../contracts/charge.ts';
import type { ContainerLife } from '../intervals/container-life.ts';
import { HOUR_MS, type Instant, utcHour } from '../values/instant.ts';
import type { Interval } from '../values/interval.ts';
import { minimumLine } from './minimum-line.ts';
import { clipIntervals } from './rate-interval.ts';
import type { RatedLine, Tariff } from './tariff.ts';

/** A line that should be in force, with how sure its hour is. */
export interface LifeLine extends RatedLine {
  readonly kind: Charge['kind'];
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
  /** The life has ended, so that its minimum is known. */
  readonly over: boolean;
}

export interface ChargeableSpan {
  /** It has ended, as far as anybody knows. */
  readonly over: boolean;
  /** Last evidence, and not in the future. */
  readonly seenEnd: Instant;
  /** Charged up to here: its end, or the whole hours before its last evidence. */
  readonly chargedUntil: Instant;
}

/** Whether a container has ended, as far as is known now. */
export function isOver(life: Pick<ContainerLife, 'coverage' | 'end'>, now: Instant): boolean {
  return life.coverage !== 'open' && life.end <= now;
}

/**
 * How much of a life is charged by now. Beyond what is witnessed, an hour charged now could turn
 * out to have been seen after all; beyond now, prices may still be announced.
 */
export function chargeableSpan(life: ContainerLife, now: Instant): ChargeableSpan {
  const seenEnd = Math.min(life.witnessedUntil, Math.max(now, life.start));
  const over = isOver(life, now);
  return { over, seenEnd, chargedUntil: over ? life.end : utcHour(seenEnd) };
}

/** An hour is sure when the container was seen throughout, however its end came to be known. */
function coverageOf(hour: Instant, life: ContainerLife): LifeLine['coverage'] {
  const seen = hour + HOUR_MS <= life.witnessedUntil;
  return life.coverage === 'exact' || seen ? 'exact' : 'inferred';
}

/**
 * The charge lines of the part of a life inside a window, whose ends are whole hours or open. What is
 * missing to the minimum charge is the line of the hour in which a life ends, if it is over and that
 * hour is in the window; it is of the whole life, whatever the window.
 */
export function rateLife(
  life: ContainerLife,
  window: Interval,
  { tariff, epochs, project, percent, over }: LifePrices,
): LifeLine[] {
  const rate = (intervals: ContainerLife['intervals']): RatedLine[] =>
    tariff.rate(intervals, epochs, { project, percent });
  const lineOf = (line: RatedLine, kind: LifeLine['kind']): LifeLine => ({
    ...line,
    kind,
    coverage: coverageOf(line.hour, life),
  });
  const usage = rate(clipIntervals(life.intervals, window));
  const lines = usage.map((line) => lineOf(line, 'usage'));
  const closes = over && life.intervals.length > 0 && life.end > window.start;
  if (!closes || life.end > window.end || !tariff.hasMinimum()) return lines;
  const whole = life.start >= window.start ? usage : rate(life.intervals);
  const minimum = minimumLine(life, whole, tariff, percent);
  return minimum === undefined ? lines : [...lines, lineOf(minimum, 'minimum')];
}
