import type { Checkpoint, CheckpointStore } from '../../shared/stores/checkpoint.ts';
import type { Instant } from '../../shared/values/instant.ts';

/** CheckpointStore in memory, for adapters that keep checkpoints apart from their records. */
export class MapCheckpoints implements CheckpointStore {
  readonly saved = new Map<string, string>();

  save(checkpoints: readonly Checkpoint[]): Promise<void> {
    for (const { source, position } of checkpoints) this.saved.set(source, position);
    return Promise.resolve();
  }

  checkpoints(prefix: string): Promise<Checkpoint[]> {
    const found = [...this.saved]
      .filter(([source]) => source.startsWith(prefix))
      .map(([source, position]) => ({ source, position }))
      .sort((a, b) => (a.source < b.source ? -1 : 1));
    return Promise.resolve(found);
  }

  lastSavedAt(): Promise<Instant | undefined> {
    return Promise.resolve(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
