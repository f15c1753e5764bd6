import type { Instant } from '../../values/instant.ts';
import type { Aggregate } from '../metric-store.ts';
import type { Minutes } from './metric-minutes.ts';

interface Bucket {
  min: number;
  max: number;
  sum: number;
  count: number;
  last: number;
  lastAt: Instant;
}

const READ: Record<Aggregate, (bucket: Bucket) => number> = {
  last: ({ last }) => last,
  mean: ({ sum, count }) => sum / count,
  min: ({ min }) => min,
  max: ({ max }) => max,
  sum: ({ sum }) => sum,
  count: ({ count }) => count,
};

/** Aggregates of one series in windows of `stepMs`, which begin at its multiples since 1970. */
export class MetricBuckets {
  readonly #stepMs: number;
  readonly #buckets = new Map<Instant, Bucket>();

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  addPoints(at: Float64Array, value: Float64Array): void {
    for (let i = 0; i < at.length; i += 1) {
      const v = value[i] ?? 0;
      this.#add({ min: v, max: v, sum: v, count: 1, last: v, lastAt: at[i] ?? 0 });
    }
  }

  /** A minute belongs to the window that holds its beginning. */
  addMinutes(minutes: Minutes, from: Instant, until: Instant): void {
    for (let row = 0; row < minutes.minute.length; row += 1) {
      const lastAt = minutes.minute[row] ?? 0;
      if (lastAt < from || lastAt >= until) continue;
      this.#add({
        min: minutes.min[row] ?? 0,
        max: minutes.max[row] ?? 0,
        sum: minutes.sum[row] ?? 0,
        count: minutes.count[row] ?? 0,
        last: minutes.last[row] ?? 0,
        lastAt,
      });
    }
  }

  #add(part: Bucket): void {
    const start = Math.floor(part.lastAt / this.#stepMs) * this.#stepMs;
    const bucket = this.#buckets.get(start);
    if (bucket === undefined) {
      this.#buckets.set(start, part);
      return;
    }
    bucket.min = Math.min(bucket.min, part.min);
    bucket.max = Math.max(bucket.max, part.max);
    bucket.sum += part.sum;
    bucket.count += part.count;
    if (part.lastAt >= bucket.lastAt) {
      bucket.last = part.last;
      bucket.lastAt = part.lastAt;
    }
  }

  read(aggregate: Aggregate): [Instant, number][] {
    const read = READ[aggregate];
    return [...this.#buckets]
      .sort(([a], [b]) => a - b)
      .map(([start, bucket]) => [start, read(bucket)]);
  }
}
