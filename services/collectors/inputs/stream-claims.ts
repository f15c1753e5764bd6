import { hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import { type FilePosition, parseFilePosition, startsWithMark } from './file-position.ts';
import type { FoundFile } from './find-files.ts';

export interface StreamClaimsOptions {
  /** Streams are divided into so many; the same in all processes. */
  readonly shards: number;
  /** Of the streams' cluster: equal paths on two clusters are two streams. */
  readonly cluster: string;
  /** Start of the source's checkpoints, in a store that all processes share. */
  readonly prefix: string;
  readonly load: (prefix: string) => Promise<readonly Checkpoint[]>;
  readonly onEnd?: () => void;
}

/**
 * Which streams of one source of files this process reads, where several see the same files. Who
 * divides them assigns and releases shards at any time; the source takes that up between two of its
 * pieces of work, so that a stream is given away only when all that was read of it is stored.
 */
export class StreamClaims implements Disposable {
  readonly #options: StreamClaimsOptions;
  /** What is to be read here. */
  #assigned: ReadonlyMap<number, Fence> = new Map();
  /** What is read here. */
  readonly #held = new Map<number, Fence>();
  /** What is read here until it is stored; each with whom to tell then. */
  readonly #leaving = new Map<number, PromiseWithResolvers<void>>();
  /** Those of them that can be left now. */
  readonly #ready = new Set<number>();
  /** Checkpoints of the inode that was asked for last. */
  #lastKnown: ReadonlySet<string> = new Set();
  #changed = false;
  #ended = false;
  constructor(options: StreamClaimsOptions) {
    this.#options = options;
  }

  /** The source should call `take` before it reads on. */
  get changed(): boolean {
    return this.#changed;
  }

  /** The source should store what it has read, and call `left`. */
  get mustLeave(): boolean {
    return this.#ready.size > 0;
  }

  /** What is to be read here from now on; shards that are gone were released, or are lost. */
  assign(fences: ReadonlyMap<number, Fence>): void {
    this.#assigned = new Map(fences);
    const gained = [...this.#assigned.keys()].some((shard) => !this.#held.has(shard));
    this.#changed ||= gained || this.#lost() !== undefined;
  }

  /** Resolves when all that was read of a shard's streams is stored, and nothing more will be. */
  async release(shard: number): Promise<void> {
    const { [shard]: _gone, ...rest } = Object.fromEntries(this.#assigned);
    this.#assigned = new Map(Object.entries(rest).map(([key, fence]) => [Number(key), fence]));
    if (this.#ended || !this.#held.has(shard)) return;
    const waiting = this.#leaving.get(shard) ?? Promise.withResolvers<void>();
    this.#leaving.set(shard, waiting);
    await waiting.promise;
  }

  has(stream: string): boolean {
    return this.#held.has(this.shardOf(stream));
  }

  /** Whether it is to be left now. */
  isLeaving(stream: string): boolean {
    return this.#ready.has(this.shardOf(stream));
  }

  /**
   * What is read here until now may be left.
   *
   * @param mustStay whether something of a stream can only be read here, such as a deleted file
   */
  offerToLeave(mustStay: (isConcerned: (stream: string) => boolean) => boolean): void {
    for (const shard of this.#leaving.keys()) {
      if (!mustStay((stream) => this.shardOf(stream) === shard)) this.#ready.add(shard);
    }
  }

  /** What to write under. */
  fences(): Fence[] {
    return [...this.#held.values()];
  }

  /**
   * Begins with what was assigned; the positions that come with it.
   *
   * @throws AppError FENCED when something was lost without having been released: what was read of
   *   it can't be told from the rest, so that the source begins again from what is stored
   */
  async take(): Promise<readonly Checkpoint[]> {
    this.#changed = false;
    const lost = this.#lost();
    if (lost !== undefined) {
      throw new AppError('FENCED', `lease ${lost.name} was lost: another process reads its files`);
    }
    const gained = new Set<number>();
    for (const [shard, fence] of this.#assigned) {
      if (this.#held.has(shard)) continue;
      this.#held.set(shard, fence);
      gained.add(shard);
    }
    if (gained.size === 0) return [];
    const { load, prefix } = this.#options;
    const all = await load(prefix);
    return all.filter(({ position }) => {
      const stream = parseFilePosition(position)?.stream;
      return stream !== undefined && gained.has(this.shardOf(stream));
    });
  }

  /** Says that all of the leaving streams is stored; they are read here no more. */
  left(): void {
    for (const shard of this.#ready) {
      this.#held.delete(shard);
      this.#leaving.get(shard)?.resolve();
      this.#leaving.delete(shard);
    }
    this.#ready.clear();
    this.#changed = true;
  }

  /**
   * Whether another process reads a new file under the name of another stream: rotation names may
   * hide for a moment, or for good, which stream a file belongs to.
   */
  async isOthers(file: FoundFile, head: Buffer): Promise<boolean> {
    const { load, prefix } = this.#options;
    const known = await load(`${prefix}${file.identity}|`);
    this.#lastKnown = new Set(known.map(({ source }) => source));
    return known.some(({ position }) => {
      const parsed = parseFilePosition(position);
      return (
        parsed !== undefined &&
        dirname(parsed.stream) === dirname(file.stream) &&
        !this.has(parsed.stream) &&
        isReadTo(parsed, file, head)
      );
    });
  }

  /** Whether a file with the inode that `isOthers` was asked of last has had this source. */
  isTaken(source: string): boolean {
    return this.#lastKnown.has(source);
  }

  /** The source has ended: nobody needs to wait for it. */
  [Symbol.dispose](): void {
    this.#ended = true;
    for (const { resolve } of this.#leaving.values()) resolve();
    this.#options.onEnd?.();
  }

  #lost(): Fence | undefined {
    for (const [shard, fence] of this.#held) {
      if (this.#leaving.has(shard)) continue;
      if (this.#assigned.get(shard)?.token !== fence.token) return fence;
    }
    return undefined;
  }

  shardOf(stream: string): number {
    const { cluster, shards } = this.#options;
    return Number.parseInt(hash('sha1', `${cluster}\n${stream}`, 'hex').slice(0, 8), 16) % shards;
  }
}

/**
 * Whether a file is the one that was read up to a position. Without device and birth there is only
 * what stands in it: its first bytes, and those before the position. Opens it, since a network file
 * system may list sizes of a while ago, but not those of a file that was opened after its writer
 * closed it. Source: nfs(5), "Close-to-open cache consistency".
 */
export function isReadTo(position: FilePosition, file: FoundFile, head: Buffer): boolean {
  if (!startsWithMark(head, position.head)) return false;
  if (file.compression !== undefined) return true;
  let fd: number | undefined;
  try {
    fd = openSync(file.path, 'r');
    if (fstatSync(fd).size < position.offset) return false;
    if (position.tail === undefined) return true;
    const bytes = Buffer.allocUnsafe(position.tail[0]);
    const length = readSync(fd, bytes, 0, bytes.length, position.offset - bytes.length);
    return startsWithMark(bytes.subarray(0, length), position.tail);
  } catch {
    return false; // Gone since it was listed.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
