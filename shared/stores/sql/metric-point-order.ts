/** Points in columns; `series` are ids of one file. */
export interface PointColumns {
  readonly series: Uint32Array;
  readonly at: Float64Array;
  readonly value: Float64Array;
}

export interface SortedPoints extends PointColumns {
  /** Where the points of series `id` begin; they end where those of `id + 1` begin. */
  readonly starts: Uint32Array;
}

/** Groups points by series, keeping the order of arrival within each: one counting sort. */
export function groupBySeries(points: PointColumns): SortedPoints {
  const { series, at, value } = points;
  let highest = 0;
  for (const id of series) if (id > highest) highest = id;
  const starts = new Uint32Array(highest + 2);
  for (const id of series) starts[id + 1] = (starts[id + 1] ?? 0) + 1;
  for (let id = 1; id < starts.length; id += 1)
    starts[id] = (starts[id] ?? 0) + (starts[id - 1] ?? 0);
  const next = starts.slice();
  const sorted = {
    series: new Uint32Array(series.length),
    at: new Float64Array(series.length),
    value: new Float64Array(series.length),
    starts,
  };
  for (let from = 0; from < series.length; from += 1) {
    const id = series[from] ?? 0;
    const to = next[id] ?? 0;
    next[id] = to + 1;
    sorted.series[to] = id;
    sorted.at[to] = at[from] ?? 0;
    sorted.value[to] = value[from] ?? 0;
  }
  return sorted;
}

/**
 * Sorts entries `[from, until)` by time, in place. Of points with the same time the one that came
 * last stands. Returns where the points now end.
 */
export function orderByTime(
  at: Float64Array,
  value: Float64Array,
  from: number,
  until: number,
): number {
  let ordered = true;
  for (let i = from + 1; i < until && ordered; i += 1) {
    ordered = (at[i] ?? 0) > (at[i - 1] ?? 0);
  }
  if (ordered) return until;
  const oldAt = at.slice(from, until);
  const oldValue = value.slice(from, until);
  const order = Uint32Array.from(oldAt, (_, i) => i);
  order.sort((a, b) => (oldAt[a] ?? 0) - (oldAt[b] ?? 0) || a - b);
  let end = from;
  for (const i of order) {
    const instant = oldAt[i] ?? 0;
    if (end > from && at[end - 1] === instant) end -= 1;
    at[end] = instant;
    value[end] = oldValue[i] ?? 0;
    end += 1;
  }
  return end;
}
