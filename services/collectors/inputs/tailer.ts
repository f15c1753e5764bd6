import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import { EmptyFiles } from './empty-files.ts';
import type { FileEnd, FileEvent, TailedFile } from './file-event.ts';
import { fits, olderFirst } from './file-order.ts';
import { markBytes, startsWithMark } from './file-position.ts';
import { byInode, type FoundFile } from './find-files.ts';
import { HotStreams } from './hot-streams.ts';
import { Incarnation } from './incarnation.ts';
import type { KnownPosition } from './known-positions.ts';
import { MissedFiles } from './missed-files.ts';
import { readHead } from './read-head.ts';
import { isReadTo, type StreamClaims } from './stream-claims.ts';
import type { TailerDeps } from './tailer-deps.ts';

/** A rotated file may get a last line from a writer that hasn't noticed yet. */
const ROTATED_QUIET_MS = 100;
const DELETED_QUIET_MS = 2_000;
/** A deleted file whose rest isn't held may still come back compressed. */
const MISSING_QUIET_MS = 10_000;
const HOT_MS = 10_000;

/** Knows every file of the patterns, in which order to read them, and which were read before. */
export class Tailer implements Disposable {
  readonly #deps: TailerDeps;
  readonly #byInode = new Map<string, Incarnation>();
  readonly #streams = new Map<string, Incarnation[]>();
  /** What the last scan found, by inode. */
  #found: readonly FoundFile[] = [];
  #seen: ReadonlyMap<string, FoundFile> = new Map();
  readonly #hot: HotStreams<TailedFile>;
  readonly #open = new Set<Incarnation>();
  readonly #told: FileEvent[] = [];
  readonly #lost: (labels: Record<string, string>, by?: number) => void;
  readonly #files: (labels: Record<string, string>, value: number) => void;
  readonly #missed: MissedFiles;
  /** When it came to know positions that no file was found for yet. */
  #knownSince: number;
  readonly #empty = new EmptyFiles();
  #rotationSeen = false;

  constructor(deps: TailerDeps) {
    this.#deps = deps;
    this.#hot = new HotStreams(deps.chunkBytes, deps.shareOf);
    this.#knownSince = deps.clock.elapsed();
    const { metrics } = deps;
    this.#lost = metrics.counter('tollgate_file_lost_bytes_total', 'Bytes gone before reading.');
    this.#missed = new MissedFiles(deps);
    this.#files = metrics.gauge('tollgate_files', 'Files followed, by input.');
  }

  /** A file that is read was renamed or deleted, so a scan is worth while before its time. */
  get rotationSeen(): boolean {
    return this.#rotationSeen;
  }

  /** Lists the folders and takes in what is new, renamed or gone. */
  async scan(): Promise<void> {
    this.#rotationSeen = false;
    const { finder, clock } = this.#deps;
    const found = finder.find(clock.now());
    this.#missed.count(found);
    const seen = found === this.#found ? this.#seen : byInode(found);
    [this.#found, this.#seen] = [found, seen];
    const unknown: FoundFile[] = [];
    for (const file of seen.values()) {
      const known = this.#byInode.get(file.inode);
      if (known === undefined) {
        if (file.size > 0) unknown.push(file);
        else if (this.#streams.has(file.stream)) {
          this.#rotationSeen ||= this.#empty.isNew(file.inode, clock.elapsed());
        }
      } else this.#refresh(known, file);
    }
    for (const [inode, known] of this.#byInode) {
      if (!seen.has(inode)) this.#vanish(inode, known);
    }
    this.#empty.keep((inode) => seen.get(inode)?.size === 0);
    await this.#takeIn(unknown);
    this.#forget();
    this.#files({ input: this.#deps.prefix }, this.#byInode.size);
  }

  /** One turn of everyone who has files; true when there may be more at once. */
  async *read(): AsyncGenerator<FileEvent, boolean> {
    let more = false;
    yield* this.#told.splice(0);
    for (const stream of this.#hot.pass()) {
      const event = await this.#step(stream);
      if (event === undefined) continue;
      if (event.kind === 'data') this.#hot.charge(event.bytes.length);
      more = true;
      yield event;
    }
    return more;
  }

  /** Takes up which streams are read here now; `gained` are the positions of new ones. */
  reclaim(claims: StreamClaims, gained: readonly Checkpoint[]): void {
    for (const [stream, files] of this.#streams) {
      if (claims.has(stream)) continue;
      for (const file of files) {
        file.close();
        this.#open.delete(file);
        if (this.#byInode.get(file.inode) === file) this.#byInode.delete(file.inode);
      }
      this.#streams.delete(stream);
      this.#hot.delete(stream);
    }
    const told = this.#told.splice(0);
    this.#told.push(...told.filter((one) => one.kind !== 'end' || claims.has(one.file.stream)));
    this.#deps.positions.forgetUnless((stream) => claims.has(stream));
    this.#deps.positions.add(gained);
    this.#knownSince = this.#deps.clock.elapsed();
    this.#rotationSeen = true;
  }

  /** Whether one of those streams has a deleted file that isn't read to its end: only here it is. */
  holdsDeleted(isConcerned: (stream: string) => boolean): boolean {
    const files = this.#open.values().filter(({ stream }) => isConcerned(stream));
    return files.some((file) => file.gone || !file.isAtPath());
  }

  [Symbol.dispose](): void {
    this.#missed[Symbol.dispose]();
    for (const incarnation of this.#open) incarnation.close();
  }

  #refresh(known: Incarnation, file: FoundFile): void {
    const unread = known.refresh(file);
    if (unread) known.ended = false;
    if (!known.ended && (unread || !file.active)) this.#hot.add(known);
  }

  #vanish(inode: string, known: Incarnation): void {
    if (!known.gone) {
      known.gone = true;
      known.lastGrowth = this.#deps.clock.elapsed();
      if (!known.ended) this.#hot.add(known);
    }
    if (known.ended) this.#byInode.delete(inode);
  }

  /** Own inodes first, so that a copy isn't taken for a file that is still there. */
  async #takeIn(unknown: FoundFile[]): Promise<void> {
    const rest: { file: FoundFile; head: Buffer }[] = [];
    const { positions, claims } = this.#deps;
    const isOurs = ({ stream }: FoundFile): boolean => claims?.has(stream) !== false;
    const mine = unknown.filter(
      (file) => isOurs(file) || positions.ofInode(file.identity).length > 0,
    );
    for (const file of mine.sort(olderFirst)) {
      const head = await readHead(file);
      if (head === undefined || head.length === 0) continue;
      const isSame = claims === undefined ? fits : isReadTo;
      const known = positions
        .ofInode(file.identity)
        .find(({ position }) => isSame(position, file, head));
      if (known !== undefined) this.#resume(file, known);
      else if (isOurs(file)) rest.push({ file, head });
    }
    const waiting = new Set<string>();
    for (const { file, head } of rest) {
      if (waiting.has(file.stream) || (await claims?.isOthers(file, head)) === true) continue;
      if (this.#revive(file, head) || (await this.#takeInCopy(file, head))) continue;
      if (!this.#begin(file, head)) waiting.add(file.stream);
    }
    for (const { stream } of mine) {
      this.#streams.get(stream)?.sort((a, b) => Number(a.active) - Number(b.active));
    }
  }

  /** A file that was out of sight, such as behind a mount that was away. */
  #revive(file: FoundFile, head: Buffer): boolean {
    const known = this.#streams
      .get(file.stream)
      ?.find((one) => one.inode === file.inode && !one.truncated);
    const same = known !== undefined && startsWithMark(head, known.head);
    if (!same || (file.compression === undefined && file.size < known.offset)) return false;
    this.#byInode.set(file.inode, known);
    this.#refresh(known, file);
    return true;
  }

  /** True when the file is a rotation's copy of a known one, and is dealt with. */
  async #takeInCopy(file: FoundFile, head: Buffer): Promise<boolean> {
    if (file.active) return false;
    const live = this.#streams
      .get(file.stream)
      ?.find((one) => one.inode !== file.inode && startsWithMark(head, one.head));
    if (live !== undefined) {
      if (live.ended) return await this.#endCopy(file, live);
      live.copy = file;
      if (live.truncated || (live.gone && !live.isOpen)) this.#move(live, file);
      return true;
    }
    const known = this.#deps.positions
      .ofStream(file.stream)
      .find(({ position }) => fits(position, file, head));
    if (known === undefined) return false;
    this.#resume(file, known);
    return true;
  }

  /** A copy of what was read to its end gets a position of its own, which survives a restart. */
  async #endCopy(file: FoundFile, original: Incarnation): Promise<boolean> {
    const copy = this.#add(file, original.head, { offset: original.offset, state: original.state });
    const shorter = file.compression === undefined && file.size <= copy.offset;
    const result = shorter ? 'end' : await copy.read(1);
    // One that holds more than the original did when it went is read on.
    copy.offset = original.offset;
    copy.close();
    if (result === 'end') this.#told.push(this.#end(copy, 'read'));
    return true;
  }

  #resume(file: FoundFile, known: KnownPosition): void {
    this.#deps.positions.take(known.source);
    const { position, source } = known;
    // It stays in the stream whose shard its position came with, whatever its name says now.
    const found = this.#deps.claims === undefined ? file : { ...file, stream: position.stream };
    const incarnation = this.#add(found, position.head, {
      offset: position.offset,
      state: position.state ?? '',
      source,
    });
    incarnation.ended = position.done !== undefined && position.done === file.size;
  }

  /** False when it is too early to tell what the file is. */
  #begin(file: FoundFile, head: Buffer): boolean {
    const ageMs = this.#deps.clock.now() - Number(file.mtimeNs / 1_000_000n);
    if (!file.active && Math.abs(ageMs) < this.#deps.settleMs) return false;
    this.#add(file, markBytes(head), { offset: 0, state: '' });
    return true;
  }

  #add(
    found: FoundFile,
    head: [number, string],
    from: { readonly offset: number; readonly state: string; readonly source?: string },
  ): Incarnation {
    const elapsed = this.#deps.clock.elapsed();
    const source = from.source ?? this.#newSource(found, head);
    const start = { source, found, head, offset: from.offset, state: from.state };
    const incarnation = new Incarnation(start, elapsed);
    this.#byInode.set(found.inode, incarnation);
    const files = this.#streams.get(found.stream) ?? [];
    files.push(incarnation);
    this.#streams.set(found.stream, files);
    this.#hot.add(incarnation);
    return incarnation;
  }

  #newSource(found: FoundFile, head: [number, string]): string {
    const base = `${this.#deps.prefix}${found.identity}|${head[1]}`;
    const taken = (source: string): boolean =>
      this.#deps.positions.has(source) ||
      this.#deps.claims?.isTaken(source) === true ||
      (this.#streams.get(found.stream) ?? []).some((file) => file.source === source);
    for (let n = 1; ; n += 1) {
      const source = n === 1 ? base : `${base}|${n}`;
      if (!taken(source)) return source;
    }
  }

  async #step(stream: string): Promise<FileEvent | undefined> {
    const files = this.#streams.get(stream) ?? [];
    const file = files.find(({ ended }) => !ended);
    if (file === undefined) {
      this.#hot.delete(stream);
      return undefined;
    }
    const start = file.offset;
    if (start === 0 && this.#deps.hold?.(file) === true) {
      if (file.compression === undefined) file.open();
      return this.#keepOpenFilesBounded(file);
    }
    if (!file.isDue(this.#deps.clock.elapsed())) return undefined;
    const result = await file.read(this.#deps.chunkBytes);
    this.#keepOpenFilesBounded(file);
    if (Buffer.isBuffer(result)) {
      file.quietSince = undefined;
      file.lastGrowth = this.#deps.clock.elapsed();
      return { kind: 'data', file, bytes: result, start, end: file.offset };
    }
    if (result === 'truncated') return await this.#truncated(file);
    if (result === 'damaged') return this.#afterQuiet(file, 'damaged', MISSING_QUIET_MS);
    if (result === 'missing') return this.#missing(file);
    const last = files.at(-1) === file;
    if (file.compression !== undefined) return this.#end(file, 'read');
    const quietMs = last ? DELETED_QUIET_MS : ROTATED_QUIET_MS;
    if (file.gone) return this.#afterQuiet(file, 'deleted', quietMs);
    if (!file.active || !last) return this.#afterQuiet(file, 'rotated', ROTATED_QUIET_MS);
    if (!file.isAtPath()) this.#rotationSeen = true;
    if (this.#deps.clock.elapsed() - file.lastGrowth > HOT_MS) this.#hot.delete(stream);
    return undefined;
  }

  #missing(file: Incarnation): FileEvent | undefined {
    // Renamed since the last scan, which will find it again.
    if (!file.gone) return undefined;
    if (file.copy !== undefined) {
      this.#move(file, file.copy);
      return undefined;
    }
    const unread = Math.max(0, file.size - file.offset);
    if (unread === 0) return this.#end(file, 'deleted');
    const event = this.#afterQuiet(file, 'deleted', MISSING_QUIET_MS);
    if (event === undefined) return undefined;
    this.#lost({ input: this.#deps.prefix }, unread);
    this.#deps.logger.warn({ path: file.path, unread }, 'a file was deleted before it was read');
    return event;
  }

  /** copytruncate: the rest stands in the copy, which lies beside it by now. */
  async #truncated(file: Incarnation): Promise<FileEvent | undefined> {
    file.close();
    file.truncated = true;
    this.#byInode.delete(file.inode);
    if (file.copy !== undefined) {
      this.#move(file, file.copy);
      await this.scan();
      return undefined;
    }
    await this.scan();
    return file.truncated ? this.#end(file, 'truncated') : undefined;
  }

  #move(file: Incarnation, to: FoundFile): void {
    if (this.#byInode.get(file.inode) === file) this.#byInode.delete(file.inode);
    file.moveTo(to);
    this.#byInode.set(to.inode, file);
    this.#hot.add(file);
    // The original was read further than the copy goes.
    if (to.compression !== undefined || to.size > file.offset) return;
    this.#told.push(this.#end(file, 'rotated'));
  }

  #afterQuiet(
    file: Incarnation,
    reason: 'rotated' | 'deleted' | 'damaged',
    quietMs: number,
  ): FileEvent | undefined {
    const elapsed = this.#deps.clock.elapsed();
    file.quietSince ??= elapsed;
    return elapsed - file.quietSince >= quietMs ? this.#end(file, reason) : undefined;
  }

  #end(file: Incarnation, reason: FileEnd['reason']): FileEvent {
    file.ended = true;
    file.close();
    this.#open.delete(file);
    return { kind: 'end', file, reason, end: file.offset };
  }

  #keepOpenFilesBounded(file: Incarnation): undefined {
    this.#open.delete(file);
    if (!file.isOpen) return;
    this.#open.add(file);
    if (this.#open.size <= this.#deps.maxOpenFiles) return;
    for (const oldest of this.#open) {
      if (oldest.gone) continue;
      oldest.close();
      this.#open.delete(oldest);
      return;
    }
  }

  #forget(): void {
    const { clock, forgetAfterMs, positions, isOwn } = this.#deps;
    const elapsed = clock.elapsed();
    const forget = (source: string) =>
      this.#told.push({ kind: 'forgotten', checkpoint: { source, position: '' } });
    const isKept = ({ ended, gone, truncated, lastGrowth }: Incarnation): boolean =>
      !(ended && (gone || truncated)) || elapsed - lastGrowth < forgetAfterMs;
    for (const [stream, files] of this.#streams) {
      const kept = files.every(isKept) ? files : files.filter(isKept);
      if (kept === files) continue;
      for (const file of files) if (!isKept(file)) forget(file.source);
      if (kept.length === 0) this.#streams.delete(stream);
      else this.#streams.set(stream, kept);
    }
    if (elapsed - this.#knownSince < forgetAfterMs) return;
    for (const { source, position } of positions.all()) {
      positions.take(source);
      if (isOwn(position.stream)) forget(source);
    }
  }
}
