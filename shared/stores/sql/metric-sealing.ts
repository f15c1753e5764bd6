import { HOUR_MS, type Instant } from '../../values/instant.ts';
import { ColumnEncoder, decodeColumns } from './metric-columns.ts';
import { aggregateMinutes } from './metric-minutes.ts';
import type { MetricMinutesFile, SealedSeries } from './metric-minutes-file.ts';
import { orderByTime } from './metric-point-order.ts';
import type { MetricRawFile } from './metric-raw-file.ts';

/** Where the sealing of an hour stands. */
export interface SealPosition {
  readonly hour: Instant;
  /** Of the hour when sealing began; points that come in meanwhile change it. */
  readonly version: number;
  /** Series up to this id are done. */
  readonly afterSeries: number;
}

/** Joins chunks, oldest write first, into one run of points in order of time, unique in it. */
export function mergeChunks(blobs: readonly Uint8Array[]): {
  at: Float64Array;
  value: Float64Array;
} {
  const decoded = blobs.map(decodeColumns);
  const length = decoded.reduce((sum, columns) => sum + (columns[0]?.length ?? 0), 0);
  const at = new Float64Array(length);
  const value = new Float64Array(length);
  let offset = 0;
  for (const [chunkAt, chunkValue] of decoded) {
    if (chunkAt === undefined || chunkValue === undefined) continue;
    at.set(chunkAt, offset);
    value.set(chunkValue, offset);
    offset += chunkAt.length;
  }
  const end = orderByTime(at, value, 0, length);
  return { at: at.subarray(0, end), value: value.subarray(0, end) };
}

/**
 * Seals an hour for the next `limit` series: merges their chunks into one each and writes their
 * minutes. Minutes come first: a crash between the two files only makes it happen again. Returns
 * the next position, or undefined when the hour is sealed.
 */
export function sealSome(
  raw: MetricRawFile,
  minutes: MetricMinutesFile,
  position: SealPosition,
  limit: number,
): SealPosition | undefined {
  const { hour, version, afterSeries } = position;
  const page = raw.seriesAfter(afterSeries, limit);
  const sealed: SealedSeries[] = [];
  const merges: { ids: number[]; series: number; at: Float64Array; value: Float64Array }[] = [];
  for (const series of page) {
    const chunks = raw.chunks(series.id, hour, hour + HOUR_MS);
    if (chunks.length === 0) continue;
    const { at, value } = mergeChunks(chunks.map(({ data }) => data));
    sealed.push({ series, hour, minutes: aggregateMinutes(at, value, 0, at.length) });
    if (chunks.length > 1)
      merges.push({ ids: chunks.map(({ id }) => id), series: series.id, at, value });
  }
  if (sealed.length > 0) minutes.put(sealed);
  if (merges.length > 0) {
    const encoder = new ColumnEncoder();
    raw.transaction(() => {
      for (const { ids, series, at, value } of merges) {
        const data = encoder.encode([at, value], 0, at.length);
        raw.replaceChunks(ids, { series, untilAt: at[at.length - 1] ?? hour, data });
      }
    });
  }
  const last = page.at(-1);
  if (last !== undefined && page.length === limit) return { hour, version, afterSeries: last.id };
  raw.seal(hour, version);
  return undefined;
}
