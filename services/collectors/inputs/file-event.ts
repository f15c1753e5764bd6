import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';

/** One incarnation of a log file: rotation, truncation and replacement begin another one. */
export interface TailedFile {
  /** Identity and checkpoint key: device, inode, birth and the hash of its first bytes. */
  readonly source: string;
  /** The path that stays while its files rotate; one reader's state per stream. */
  readonly stream: string;
  /** Where it lies now; a rotation changes it. */
  readonly path: string;
  /** What the pattern's `{name}` parts matched. */
  readonly captures: Readonly<Record<string, string>>;
  /** What was given to `checkpoint` with the position that reading resumed at, else ''. */
  readonly state: string;
  /** There was nothing more when it was looked at last. Else its next piece waits for its turn. */
  readonly drained: boolean;
  /**
   * Says that everything before `offset` (a byte in the decompressed file) is safely kept. Store it
   * in the transaction of those records.
   *
   * @param state the reader's own words, given back on resume
   */
  checkpoint(offset: number, state?: string): Checkpoint;
}

export interface FileChunk {
  readonly kind: 'data';
  readonly file: TailedFile;
  /** Bytes `[start, end)`, cut anywhere. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * No more bytes are expected of this incarnation: `rotated` (half a line goes on in the stream's next
 * one), `deleted`, `truncated`, `read` (a compressed file's end), `damaged` (its rest can't be read).
 * Late bytes of a rotated file still come as data after it, and then another end.
 */
export interface FileEnd {
  readonly kind: 'end';
  readonly file: TailedFile;
  readonly reason: 'rotated' | 'deleted' | 'truncated' | 'read' | 'damaged';
  /** Bytes read in all. */
  readonly end: number;
}

/** All that was there has been read; time to flush what waits. Comes after every poll. */
export interface FileTick {
  readonly kind: 'tick';
}

/** A file that is gone for days: store this checkpoint, whose empty position removes its old one. */
export interface FileForgotten {
  readonly kind: 'forgotten';
  readonly checkpoint: Checkpoint;
}

export type FileEvent = FileChunk | FileEnd | FileTick | FileForgotten;
