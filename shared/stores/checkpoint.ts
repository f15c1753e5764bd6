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
