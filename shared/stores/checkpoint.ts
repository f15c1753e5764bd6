import type { Instant } from '../values/instant.ts';
import type { Fence } from './lease.ts';

/**
 * How far a source is safely stored. Written in the same transaction as the records before it; the
 * position is the collector's own JSON.
 */
export interface Checkpoint {
  /** Identity of the source, such as a file's device, inode and birth. */
  readonly source: string;
  readonly position: string;
}

export interface CheckpointReader {
  /** All checkpoints whose source starts with `prefix`. */
  checkpoints(prefix: string): Promise<Checkpoint[]>;
}

/**
 * Where checkpoints lie when the records' own store can't hold them in the transaction of its
 * records (Elasticsearch, InfluxDB). They are saved after that store's acknowledgement, so that a
 * crash between the two makes records come again, which their identities make a no-op.
 */
export interface CheckpointStore extends AsyncDisposable, CheckpointReader {
  /**
   * All or none, durable when it resolves. The later position of a source replaces the one before;
   * an empty one removes it.
   *
   * @param fences of leases in the same database: checked in the transaction, with nothing to save too
   * @throws AppError FENCED when another holder has one of them by now; nothing is saved then
   */
  save(checkpoints: readonly Checkpoint[], fences?: readonly Fence[]): Promise<void>;
  /** When the newest checkpoint of sources that start with `prefix` was saved. */
  lastSavedAt(prefix: string): Promise<Instant | undefined>;
}
