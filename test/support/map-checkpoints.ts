import type { Checkpoint, CheckpointStore } from '../../shared/stores/checkpoint.ts';
import type { Instant } from '../../shared/values/instant.ts';

/** Checkpoints in a map, dated by a clock of the test. */
export class MapCheckpoints implements CheckpointStore {
  readonly saved = new Map<string, { position: string; at: Instant }>();
  /** In the order of their saving. */
  readonly history: Checkpoint[] = [];
  readonly #now: () => Instant;

  constructor(now: () => Instant = () => Date.UTC(2026, 10, 21, 8)) {
    this.#now = now;
  }

  async save(checkpoints: readonly Checkpoint[]): Promise<void> {
    for (const { source, position } of checkpoints) {
      this.history.push({ source, position });
      if (position === '') this.saved.delete(source);
      else this.saved.set(source, { position, at: this.#now() });
    }
  }

  async checkpoints(prefix: string): Promise<Checkpoint[]> {
    return [...this.saved]
      .filter(([source]) => source.startsWith(prefix))
      .map(([source, { position }]) => ({ source, position }))
      .sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  async lastSavedAt(prefix: string): Promise<Instant | undefined> {
    const times = [...this.saved]
      .filter(([source]) => source.startsWith(prefix))
      .map(([, { at }]) => at);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
