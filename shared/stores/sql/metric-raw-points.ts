import type { DatabaseSync } from 'node:sqlite';
import { HOUR_MS, type Instant, utcHour } from '../../values/instant.ts';
import { decodeColumns } from './metric-columns.ts';
import { batchColumns } from './metric-raw-file.ts';

/** Runs of points of one series in the order of their writing; a later run wins over an earlier one. */
export type PointRuns = { readonly at: Float64Array; readonly value: Float64Array }[];

interface Window {
  readonly from: Instant;
  readonly until: Instant;
}

function select(at: Float64Array, value: Float64Array, window: Window, runs: PointRuns): void {
  const { from, until } = window;
  let count = 0;
  for (const instant of at) if (instant >= from && instant < until) count += 1;
  if (count === 0) return;
  if (count === at.length) {
    runs.push({ at, value });
    return;
  }
  const run = { at: new Float64Array(count), value: new Float64Array(count) };
  let to = 0;
  for (let i = 0; i < at.length; i += 1) {
    const instant = at[i] ?? 0;
    if (instant < from || instant >= until) continue;
    run.at[to] = instant;
    run.value[to] = value[i] ?? 0;
    to += 1;
  }
  runs.push(run);
}

function addChunks(
  db: DatabaseSync,
  ids: readonly number[],
  window: Window,
  found: Map<number, PointRuns>,
): void {
  // A chunk stays within its hour, so the newest one of interest ends before that hour does.
  const statement = db.prepare(
    'SELECT data FROM chunk WHERE series = ? AND until_at >= ? AND until_at < ? ORDER BY id',
  );
  const end = utcHour(window.until - 1) + HOUR_MS;
  for (const id of ids) {
    const runs: PointRuns = [];
    for (const row of statement.iterate(id, window.from, end)) {
      const [at, value] = decodeColumns(row['data'] as Uint8Array);
      if (at !== undefined && value !== undefined) select(at, value, window, runs);
    }
    if (runs.length > 0) found.set(id, runs);
  }
}

function addTail(
  db: DatabaseSync,
  ids: readonly number[],
  window: Window,
  found: Map<number, PointRuns>,
): void {
  const wanted = new Uint8Array(Math.max(...ids) + 1);
  for (const id of ids) wanted[id] = 1;
  const batches = db.prepare(
    'SELECT series, at, value FROM batch WHERE max_at >= ? AND min_at < ? ORDER BY id',
  );
  const tail = new Map<number, { at: number[]; value: number[] }>();
  for (const row of batches.iterate(window.from, window.until)) {
    const { series, at, value } = batchColumns(row);
    for (let i = 0; i < series.length; i += 1) {
      const id = series[i] ?? 0;
      if (wanted[id] !== 1) continue;
      let points = tail.get(id);
      if (points === undefined) {
        points = { at: [], value: [] };
        tail.set(id, points);
      }
      points.at.push(at[i] ?? 0);
      points.value.push(value[i] ?? 0);
    }
  }
  for (const [id, { at, value }] of tail) {
    const runs = found.get(id) ?? [];
    select(Float64Array.from(at), Float64Array.from(value), window, runs);
    if (runs.length > 0) found.set(id, runs);
  }
}

/** Raw points of these series in `[from, until)`, the tail included. Runs may hold a time twice. */
export function readRawPoints(
  db: DatabaseSync,
  ids: readonly number[],
  window: Window,
): Map<number, PointRuns> {
  const found = new Map<number, PointRuns>();
  if (ids.length === 0 || window.until <= window.from) return found;
  addChunks(db, ids, window, found);
  addTail(db, ids, window, found);
  return found;
}
