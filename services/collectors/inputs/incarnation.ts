import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import { CompressedReader } from './compressed-reader.ts';
import type { TailedFile } from './file-event.ts';
import {
  type ByteMark,
  type FilePosition,
  HEAD_BYTES,
  markBytes,
  startsWithMark,
  TAIL_BYTES,
} from './file-position.ts';
import { type FoundFile, hasInode } from './find-files.ts';
import type { Compression } from './rotated-name.ts';

/** A reader's last record begins within these, mostly: enough to mark the position before it. */
const RECENT_BYTES = 4_096;
/** A file that grew this lately is asked at each poll, another one at this interval. */
const BRISK_MS = 1_000;
const CALM_POLL_MS = 500;

export type ReadResult = Buffer | 'end' | 'truncated' | 'missing' | 'damaged';

export interface IncarnationStart {
  readonly source: string;
  readonly found: FoundFile;
  readonly head: ByteMark;
  readonly offset: number;
  readonly state: string;
}

/** The bytes of one file from its creation to its end, wherever rotation puts them meanwhile. */
export class Incarnation implements TailedFile {
  readonly source: string;
  readonly stream: string;
  readonly captures: Readonly<Record<string, string>>;
  readonly state: string;
  path: string;
  inode: string;
  compression: Compression | undefined;
  head: ByteMark;
  /** Read up to here. */
  offset: number;
  /** As last listed. */
  size: number;
  /** As last listed; a change without growth may be a file written anew. */
  mtimeNs: bigint;
  active: boolean;
  /** Not listed any more: deleted, or renamed to what no pattern names. */
  gone = false;
  truncated = false;
  /** Its end was told. */
  ended = false;
  /** A copy of it that rotation made, to read on from when the original is cut off. */
  copy: FoundFile | undefined;
  /** When it was first found at its end, in elapsed ms. */
  quietSince: number | undefined;
  lastGrowth: number;
  #askedAt = Number.NEGATIVE_INFINITY;
  #fd: number | undefined;
  #reader: CompressedReader | undefined;
  #sawEnd = true;
  #rewritten = false;
  drained = true;
  #recent: Buffer = Buffer.alloc(0);
  #recentStart = 0;

  constructor(start: IncarnationStart, elapsed: number) {
    const { found } = start;
    this.source = start.source;
    this.stream = found.stream;
    this.captures = found.captures;
    this.state = start.state;
    this.path = found.path;
    this.inode = found.inode;
    this.compression = found.compression;
    this.head = start.head;
    this.offset = start.offset;
    this.size = found.size;
    this.mtimeNs = found.mtimeNs;
    this.active = found.active;
    this.lastGrowth = elapsed;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined || this.#reader !== undefined;
  }

  checkpoint(offset: number, state?: string): Checkpoint {
    const tail = this.#tailBefore(offset);
    const position: FilePosition = {
      offset,
      stream: this.stream,
      head: this.head,
      ...(tail === undefined ? {} : { tail }),
      ...(state === undefined || state === '' ? {} : { state }),
      ...(this.ended && this.compression !== undefined ? { done: this.size } : {}),
    };
    return { source: this.source, position: JSON.stringify(position) };
  }

  /** Takes over what a scan found at its inode; true when there may be something to read. */
  refresh(found: FoundFile): boolean {
    const changed = this.mtimeNs !== found.mtimeNs;
    this.path = found.path;
    this.active = found.active;
    this.gone = false;
    this.size = found.size;
    this.mtimeNs = found.mtimeNs;
    if (this.compression !== undefined) return false;
    if (changed) this.#rewritten = true;
    return changed || found.size !== this.offset;
  }

  /**
   * Whether to ask it for more now. Of one that didn't grow lately not at each poll: thousands of
   * files that get a line now and then would cost more than what they hold.
   */
  isDue(elapsed: number): boolean {
    const brisk = !this.active || this.gone || elapsed - this.lastGrowth < BRISK_MS;
    if (!brisk && elapsed - this.#askedAt < CALM_POLL_MS) return false;
    this.#askedAt = elapsed;
    return true;
  }

  /** Goes on in another file that holds the same bytes. */
  moveTo(found: FoundFile): void {
    this.close();
    this.path = found.path;
    this.inode = found.inode;
    this.compression = found.compression;
    this.size = found.size;
    this.mtimeNs = found.mtimeNs;
    this.active = found.active;
    this.gone = false;
    this.truncated = false;
    this.ended = false;
    this.copy = undefined;
    this.quietSince = undefined;
  }

  /** Reads on, at most `max` bytes. */
  async read(max: number): Promise<ReadResult> {
    const result =
      this.compression === undefined ? this.#readPlain(max) : await this.#readCompressed(max);
    if (typeof result === 'string') {
      this.#sawEnd = true;
      this.drained = true;
      return result;
    }
    this.#sawEnd = false;
    this.drained = false;
    this.#keepRecent(result);
    this.offset += result.length;
    if (this.head[0] < HEAD_BYTES && this.#fd !== undefined) this.#extendHead(this.#fd);
    return result;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
    this.#sawEnd = true;
  }

  #tailBefore(offset: number): ByteMark | undefined {
    const end = offset - this.#recentStart;
    if (end < TAIL_BYTES || end > this.#recent.length) return undefined;
    return markBytes(this.#recent.subarray(end - TAIL_BYTES, end));
  }

  #keepRecent(piece: Buffer): void {
    this.#recent = Buffer.from(piece.subarray(-RECENT_BYTES));
    this.#recentStart = this.offset + piece.length - this.#recent.length;
  }

  #extendHead(fd: number): void {
    const bytes = Buffer.allocUnsafe(Math.min(HEAD_BYTES, this.offset));
    const length = readSync(fd, bytes, 0, bytes.length, 0);
    if (length === bytes.length) this.head = markBytes(bytes);
  }

  /** False when what lies at the path now is another file. */
  open(): boolean {
    if (this.#fd !== undefined) return true;
    let fd: number;
    try {
      fd = openSync(this.path, 'r');
    } catch {
      return false;
    }
    if (!hasInode(fstatSync(fd, { bigint: true }), this.inode)) {
      closeSync(fd);
      return false;
    }
    this.#fd = fd;
    return true;
  }

  /** Whether the path still leads to it; a rotation that no scan has seen yet changes that. */
  isAtPath(): boolean {
    const stats = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return stats !== undefined && hasInode(stats, this.inode);
  }

  #readPlain(max: number): ReadResult {
    if (!this.open() || this.#fd === undefined) return 'missing';
    const { size } = fstatSync(this.#fd);
    this.size = size;
    if (size < this.offset) return 'truncated';
    const suspect = this.#rewritten || (this.#sawEnd && size > this.offset);
    this.#rewritten = false;
    if (suspect && !this.#hasSameHead(this.#fd)) return 'truncated';
    if (size === this.offset) return 'end';
    const buffer = Buffer.allocUnsafeSlow(Math.min(max, size - this.offset));
    const length = readSync(this.#fd, buffer, 0, buffer.length, this.offset);
    return length === 0 ? 'end' : buffer.subarray(0, length);
  }

  /** A file written anew under the same inode may already be longer than the old one was. */
  #hasSameHead(fd: number): boolean {
    const bytes = Buffer.allocUnsafe(this.head[0]);
    const length = readSync(fd, bytes, 0, bytes.length, 0);
    return startsWithMark(bytes.subarray(0, length), this.head);
  }

  async #readCompressed(max: number): Promise<ReadResult> {
    if (this.compression === undefined) return 'missing';
    try {
      if (this.#reader === undefined) {
        this.#reader = new CompressedReader(this.path, this.compression);
        if (!(await this.#reader.skip(this.offset))) return 'end';
      }
      const piece = await this.#reader.read(max);
      return piece.length === 0 ? 'end' : piece;
    } catch (error) {
      this.close();
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'damaged';
    }
  }
}
