import type { Checkpoint, CheckpointStore } from './checkpoint.ts';

/**
 * One process's part of a checkpoint store that several share: what it saves no other one reads, or
 * removes because it has no such file.
 *
 * @param scope the process's name, the same after a restart; '' for a store that nobody shares
 */
export function scopedCheckpoints(store: CheckpointStore, scope: string): CheckpointStore {
  if (scope === '') return store;
  // No name holds a slash, so that no scope begins with another one.
  const start = `${scope}/`;
  const within = ({ source, position }: Checkpoint): Checkpoint => ({
    source: start + source,
    position,
  });
  return {
    save: (checkpoints) => store.save(checkpoints.map(within)),
    lastSavedAt: (prefix) => store.lastSavedAt(start + prefix),
    async checkpoints(prefix) {
      const found = await store.checkpoints(start + prefix);
      return found.map(({ source, position }) => ({
        source: source.slice(start.length),
        position,
      }));
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
