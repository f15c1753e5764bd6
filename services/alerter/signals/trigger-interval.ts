import { median } from './median.ts';

/** One trigger: when it began and for how long it ran, in ms. */
export interface Trigger {
  readonly start: number;
  readonly ms: number;
}

/** Triggers after which a query waited; with fewer nothing is regular. */
const WAITED_MIN = 5;
const TOLERANCE = 0.2;
const SLACK = 0.9;

/**
 * The interval at which a query with a processing-time trigger begins its batches, taken from those
 * after which it waited. Undefined where it never waited, or waited irregularly: a query that runs
 * as fast as it can has no interval.
 */
export function triggerInterval(triggers: readonly Trigger[]): number | undefined {
  const gaps = triggers.flatMap(({ start, ms }, index) => {
    const next = triggers[index + 1];
    const gap = next === undefined ? 0 : next.start - start;
    return gap > 0 && ms < gap * SLACK ? [gap] : [];
  });
  const middle = median(gaps);
  if (middle === undefined || gaps.length < WAITED_MIN) return undefined;
  const regular = gaps.filter((gap) => Math.abs(gap - middle) <= TOLERANCE * middle);
  return regular.length >= gaps.length / 2 ? middle : undefined;
}
