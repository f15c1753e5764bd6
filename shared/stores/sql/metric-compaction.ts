import { HOUR_MS, type Instant, utcHour } from '../../values/instant.ts';
import { ColumnEncoder } from './metric-columns.ts';
import { groupBySeries, orderByTime, type SortedPoints } from './metric-point-order.ts';
import type { ChunkRow, MetricRawFile } from './metric-raw-file.ts';

function* chunksOf(points: SortedPoints, hours: Set<Instant>): Generator<ChunkRow> {
  const encoder = new ColumnEncoder();
  const { at, value, starts } = points;
  for (let series = 0; series + 1 < starts.length; series += 1) {
    const from = starts[series] ?? 0;
    const until = starts[series + 1] ?? 0;
    if (from === until) continue;
    const end = orderByTime(at, value, from, until);
    let start = from;
    while (start < end) {
      const hour = utcHour(at[start] ?? 0);
      let next = start + 1;
      while (next < end && (at[next] ?? 0) < hour + HOUR_MS) next += 1;
      hours.add(hour);
      const data = encoder.encode([at, value], start, next);
      yield { series, untilAt: at[next - 1] ?? 0, data };
      start = next;
    }
  }
}

/**
 * Turns the oldest part of a file's tail, about `maxPoints`, into chunks per series and hour.
 * Returns how many points that were; 0 when there is no tail.
 */
export function compactTail(file: MetricRawFile, maxPoints: number): number {
  const tail = file.readTail(maxPoints);
  if (tail === undefined) return 0;
  const hours = new Set<Instant>();
  const chunks = chunksOf(groupBySeries(tail.points), hours);
  file.replaceTail({ chunks, hours, lastBatch: tail.lastBatch });
  return tail.points.series.length;
}
