import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import { bucketOf } from './bucket.ts';
import type { FoundEventLog } from './find-event-logs.ts';

/** How a log looked when it was put aside: stored bytes, and whether it was being written. */
type Aside = readonly [size: number, inProgress: boolean];

const VERSION = 1;

/**
 * Which event logs need no more reading, because they were read to their end or have stopped
 * growing. Kept over restarts in a fixed number of checkpoints; logs that are gone are forgotten.
 */
export class LogMemory {
  readonly #prefix: string;
  readonly #buckets = new Map<number, Map<string, Aside>>();
  readonly #changed = new Set<number>();

  constructor(cluster: string, stored: readonly Checkpoint[]) {
    this.#prefix = LogMemory.prefix(cluster);
    for (const { source, position } of stored) {
      if (!source.startsWith(this.#prefix)) continue;
      const body = JSON.parse(position) as { v: number; logs: [string, Aside][] };
      if (body.v !== VERSION) continue;
      this.#buckets.set(Number(source.slice(this.#prefix.length)), new Map(body.logs));
    }
  }

  static prefix(cluster: string): string {
    return `containers/${encodeURIComponent(cluster)}/logs/`;
  }

  /** True while the log is as it was when it was put aside. */
  isAside({ key, size, inProgress }: FoundEventLog): boolean {
    const aside = this.#buckets.get(bucketOf(key))?.get(key);
    return aside !== undefined && aside[0] === size && aside[1] === inProgress;
  }

  putAside({ key, size, inProgress }: FoundEventLog): void {
    const bucket = bucketOf(key);
    const logs = this.#buckets.get(bucket) ?? new Map<string, Aside>();
    this.#buckets.set(bucket, logs.set(key, [size, inProgress]));
    this.#changed.add(bucket);
  }

  /** Forgets the logs that `isThere` denies. */
  forget(isThere: (key: string) => boolean): void {
    for (const [bucket, logs] of this.#buckets) {
      for (const key of logs.keys()) {
        if (isThere(key)) continue;
        logs.delete(key);
        this.#changed.add(bucket);
      }
    }
  }

  /** What changed since the last call, to be stored with the facts of the logs put aside. */
  takeCheckpoints(): Checkpoint[] {
    const checkpoints = [...this.#changed].map((bucket) => ({
      source: `${this.#prefix}${bucket}`,
      position: JSON.stringify({ v: VERSION, logs: [...(this.#buckets.get(bucket) ?? [])] }),
    }));
    this.#changed.clear();
    return checkpoints;
  }
}
