import { SECOND_MS } from '../../../shared/values/instant.ts';
import type { METRIC_FUNCTIONS } from '../rules/signals/metric-signal.ts';

export type MetricFunction = (typeof METRIC_FUNCTIONS)[number];
type Points = readonly (readonly [at: number, value: number])[];

/** A counter that goes back has begun anew: what it shows then has been added since. */
function increase(points: Points): number {
  let total = 0;
  for (const [index, [, value]] of points.entries()) {
    const before = points[index - 1]?.[1];
    if (before !== undefined) total += value >= before ? value - before : value;
  }
  return total;
}

/** Of the line with the least squared distance, in units a second; undefined of one moment. */
function slope(points: Points): number | undefined {
  const n = points.length;
  const origin = points[0]?.[0] ?? 0;
  let [sumX, sumY, sumXY, sumXX] = [0, 0, 0, 0];
  for (const [at, y] of points) {
    const x = (at - origin) / SECOND_MS;
    sumX += x;
    sumY += y;
    sumXY += x * y;
    sumXX += x * x;
  }
  const spread = n * sumXX - sumX * sumX;
  return spread === 0 ? undefined : (n * sumXY - sumX * sumY) / spread;
}

/**
 * One number of the points of a series, in order of time; undefined where too few tell it: none at
 * all, or one for what needs two.
 */
export function reducePoints(fn: MetricFunction, points: Points): number | undefined {
  const values = points.map(([, value]) => value);
  const sum = (): number => values.reduce((total, value) => total + value, 0);
  if (values.length === 0) return undefined;
  switch (fn) {
    case 'last':
      return values.at(-1);
    case 'mean':
      return sum() / values.length;
    case 'min':
      return values.reduce((a, b) => Math.min(a, b));
    case 'max':
      return values.reduce((a, b) => Math.max(a, b));
    case 'sum':
      return sum();
    case 'count':
      return values.length;
    case 'increase':
      return values.length < 2 ? undefined : increase(points);
    case 'slope':
      return slope(points);
  }
}
