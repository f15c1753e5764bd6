import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../values/instant.ts';
import { decodeColumns } from './metric-columns.ts';
import { batchColumns } from './metric-raw-file.ts';

export interface NewestPoint {
  readonly at: Instant;
  readonly value: number;
}

/** The newest raw point since `from` of each of these series of one file, the tail included. */
export function newestPoints(
  db: DatabaseSync,
  ids: readonly number[],
  from: Instant,
): Map<number, NewestPoint> {
  const newest = new Map<number, NewestPoint>();
  if (ids.length === 0) return newest;
  const chunk = db.prepare(
    'SELECT data FROM chunk WHERE series = ? AND until_at >= ? ORDER BY until_at DESC, id DESC LIMIT 1',
  );
  const wanted = new Uint8Array(Math.max(...ids) + 1);
  for (const id of ids) {
    wanted[id] = 1;
    const row = chunk.get(id, from);
    const [at, value] = row === undefined ? [] : decodeColumns(row['data'] as Uint8Array);
    const last = (at?.length ?? 0) - 1;
    if (last >= 0) newest.set(id, { at: at?.[last] ?? 0, value: value?.[last] ?? 0 });
  }
  const batches = db.prepare('SELECT series, at, value FROM batch WHERE max_at >= ? ORDER BY id');
  for (const row of batches.iterate(from)) {
    const { series, at, value } = batchColumns(row);
    for (let i = 0; i < series.length; i += 1) {
      const id = series[i] ?? 0;
      const instant = at[i] ?? 0;
      if (wanted[id] !== 1 || instant < from) continue;
      const known = newest.get(id);
      if (known === undefined || instant >= known.at) {
        newest.set(id, { at: instant, value: value[i] ?? 0 });
      }
    }
  }
  return newest;
}
