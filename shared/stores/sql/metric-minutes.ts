import { type Instant, MINUTE_MS } from '../../values/instant.ts';

/** One-minute aggregates of a series in columns, in order of time; `minute` is its first ms. */
export interface Minutes {
  readonly minute: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sum: Float64Array;
  readonly count: Float64Array;
  readonly last: Float64Array;
}

/** The order of columns in a stored row. */
export function minuteColumns(minutes: Minutes): Float64Array[] {
  const { minute, min, max, sum, count, last } = minutes;
  return [minute, min, max, sum, count, last];
}

export function minutesOfColumns(columns: readonly Float64Array[]): Minutes {
  const none = new Float64Array(0);
  const [minute = none, min = none, max = none, sum = none, count = none, last = none] = columns;
  return { minute, min, max, sum, count, last };
}

export function minuteOf(at: Instant): Instant {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}

/** Aggregates points `[from, until)`, which are in order of time and unique in it. */
export function aggregateMinutes(
  at: Float64Array,
  value: Float64Array,
  from: number,
  until: number,
): Minutes {
  const columns = Array.from({ length: 6 }, () => new Float64Array(until - from));
  const { minute, min, max, sum, count, last } = minutesOfColumns(columns);
  let row = -1;
  for (let i = from; i < until; i += 1) {
    const v = value[i] ?? 0;
    const m = minuteOf(at[i] ?? 0);
    if (row < 0 || minute[row] !== m) {
      row += 1;
      minute[row] = m;
      min[row] = v;
      max[row] = v;
    } else {
      min[row] = Math.min(min[row] ?? v, v);
      max[row] = Math.max(max[row] ?? v, v);
    }
    sum[row] = (sum[row] ?? 0) + v;
    count[row] = (count[row] ?? 0) + 1;
    last[row] = v;
  }
  return minutesOfColumns(columns.map((column) => column.subarray(0, row + 1)));
}
