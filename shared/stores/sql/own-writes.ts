import type { DatabaseSync } from 'node:sqlite';

const counts = new WeakMap<DatabaseSync, { writes: number }>();

/** How often a connection has written, begun, committed or rolled back through its dialect. */
export function ownWrites(database: DatabaseSync): { writes: number } {
  const count = counts.get(database) ?? { writes: 0 };
  counts.set(database, count);
  return count;
}
