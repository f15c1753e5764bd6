import type { Checkpoint, CheckpointStore } from './checkpoint.ts';

/**
 * Start of sources that belong to no process: several divide them by lease, and go on where another
 * one stopped. No process has such a name.
 */
export const SHARED_SOURCES = '~/';

/**
 * One process's part of a checkpoint store that several share: what it saves no other one reads, or
 * removes because it has no such file. Sources that begin with SHARED_SOURCES are everyone's.
 *
 * @param scope the process's name, the same after a restart; '' for a store that nobody shares
 */
export function scopedCheckpoints(store: CheckpointStore, scope: string): CheckpointStore {
  if (scope === '') return store;
  // No name holds a slash, so that no scope begins with another one.
  const start = `${scope}/`;
  const keyOf = (source: string): string =>
    source.startsWith(SHARED_SOURCES) ? source : start + source;
  const within = ({ source, position }: Checkpoint): Checkpoint => ({
    source: keyOf(source),
    position,
  });
  return {
    save: (checkpoints, fences) => store.save(checkpoints.map(within), fences),
    lastSavedAt: (prefix) => store.lastSavedAt(keyOf(prefix)),
    async checkpoints(prefix) {
      const found = await store.checkpoints(keyOf(prefix));
      if (prefix.startsWith(SHARED_SOURCES)) return found;
      return found.map(({ source, position }) => ({
        source: source.slice(start.length),
        position,
      }));
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
