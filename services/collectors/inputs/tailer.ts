import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { FileEnd, FileEvent, TailedFile } from './file-event.ts';
import { fits, olderFirst } from './file-order.ts';
import { markBytes, startsWithMark } from './file-position.ts';
import type { FileFinder, FoundFile } from './find-files.ts';
import { FolderWatch } from './folder-watch.ts';
import { HotStreams } from './hot-streams.ts';
import { Incarnation } from './incarnation.ts';
import type { KnownPosition, KnownPositions } from './known-positions.ts';
import { readHead } from './read-head.ts';

export interface TailerDeps {
  readonly finder: FileFinder;
  readonly positions: KnownPositions;
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly chunkBytes: number;
  readonly maxOpenFiles: number;
  readonly forgetAfterMs: number;
  /** A copy or compressed file that changed this lately may still be in the making. */
  readonly settleMs: number;
  /** Whether a file isn't to be read yet. It is held open, so that it can be read once deleted. */
  readonly hold?: (file: TailedFile) => boolean;
  readonly shareOf: (file: TailedFile) => string;
}

/** A rotated file may get a last line from a writer that hasn't noticed yet. */
const ROTATED_QUIET_MS = 100;
const DELETED_QUIET_MS = 2_000;
/** A deleted file whose rest isn't held may still come back compressed. */
const MISSING_QUIET_MS = 10_000;
const HOT_MS = 10_000;
const EMPTY_MS = 3_000;

/** Knows every file of the patterns, in which order to read them, and which were read before. */
export class Tailer implements Disposable {
  readonly #deps: TailerDeps;
  readonly #byInode = new Map<string, Incarnation>();
  readonly #streams = new Map<string, Incarnation[]>();
  readonly #hot: HotStreams<TailedFile>;
  readonly #open = new Set<Incarnation>();
  readonly #told: FileEvent[] = [];
  readonly #lost: (labels: Record<string, string>, by?: number) => void;
  readonly #files: (labels: Record<string, string>, value: number) => void;
  readonly #missed: (labels: Record<string, string>, by?: number) => void;
  readonly #startedAt: number;
  readonly #watch = new FolderWatch();
  /** When an empty file of a known stream was first seen. */
  readonly #emptySince = new Map<string, number>();
  /** Files and folders of the last scan. */
  #paths: ReadonlySet<string> = new Set();
  #folders: ReadonlySet<string> = new Set();
  #rotationSeen = false;

  constructor(deps: TailerDeps) {
    this.#deps = deps;
    this.#hot = new HotStreams(deps.chunkBytes, deps.shareOf);
    this.#startedAt = deps.clock.elapsed();
    const { metrics } = deps;
    this.#lost = metrics.counter('tollgate_file_lost_bytes_total', 'Bytes gone before reading.');
    this.#missed = metrics.counter('tollgate_files_missed_total', 'Came and went between scans.');
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
    this.#countMissed(found);
    const seen = new Map<string, FoundFile>();
    for (const file of found) {
      if (seen.get(file.inode)?.active !== true) seen.set(file.inode, file);
    }
    const unknown: FoundFile[] = [];
    for (const file of seen.values()) {
      const known = this.#byInode.get(file.inode);
      if (known === undefined) {
        if (file.size > 0) unknown.push(file);
        else this.#awaitFirstByte(file);
      } else this.#refresh(known, file);
    }
    for (const [inode, known] of this.#byInode) {
      if (!seen.has(inode)) this.#vanish(inode, known);
    }
    for (const inode of this.#emptySince.keys()) {
      if (seen.get(inode)?.size !== 0) this.#emptySince.delete(inode);
    }
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

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    for (const incarnation of this.#open) incarnation.close();
  }

  /** After a rotation the next file is empty for a moment: the next scan needn't be a second away. */
  #awaitFirstByte({ inode, stream }: FoundFile): void {
    if (!this.#streams.has(stream)) return;
    const elapsed = this.#deps.clock.elapsed();
    const since = this.#emptySince.get(inode) ?? elapsed;
    this.#emptySince.set(inode, since);
    if (elapsed - since < EMPTY_MS) this.#rotationSeen = true;
  }

  /** What came and went since the last scan can't be read any more, but it can be said. */
  #countMissed(found: readonly FoundFile[]): void {
    const { finder, prefix, logger } = this.#deps;
    const paths = new Set(found.map(({ path }) => path));
    const missed = this.#watch.missed(
      (folder, name) => finder.isWanted(folder, name),
      (path) => this.#paths.has(path) || this.#folders.has(path),
    );
    if (missed.length > 0) {
      this.#missed({ input: prefix }, missed.length);
      logger.warn({ paths: missed.slice(0, 5), count: missed.length }, 'came and went unread');
    }
    this.#paths = paths;
    this.#folders = new Set(finder.folders);
    this.#watch.follow(this.#folders);
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
    for (const file of unknown.sort(olderFirst)) {
      const head = await readHead(file);
      if (head === undefined || head.length === 0) continue;
      const known = this.#deps.positions
        .ofInode(file.inode)
        .find(({ position }) => fits(position, file, head));
      if (known === undefined) rest.push({ file, head });
      else this.#resume(file, known);
    }
    const waiting = new Set<string>();
    for (const { file, head } of rest) {
      if (waiting.has(file.stream)) continue;
      if (this.#revive(file, head) || (await this.#takeInCopy(file, head))) continue;
      if (!this.#begin(file, head)) waiting.add(file.stream);
    }
    for (const { stream } of unknown) {
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
    const incarnation = this.#add(file, position.head, {
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
    const base = `${this.#deps.prefix}${found.inode}|${head[1]}`;
    const taken = (source: string): boolean =>
      this.#deps.positions.has(source) ||
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
    const { clock, forgetAfterMs, positions } = this.#deps;
    const elapsed = clock.elapsed();
    const forget = (source: string) =>
      this.#told.push({ kind: 'forgotten', checkpoint: { source, position: '' } });
    for (const [stream, files] of this.#streams) {
      const kept = files.filter((file) => {
        const old = file.ended && (file.gone || file.truncated);
        if (!old || elapsed - file.lastGrowth < forgetAfterMs) return true;
        forget(file.source);
        return false;
      });
      if (kept.length === 0) this.#streams.delete(stream);
      else this.#streams.set(stream, kept);
    }
    if (elapsed - this.#startedAt < forgetAfterMs) return;
    for (const source of positions.sources()) {
      positions.take(source);
      forget(source);
    }
  }
}
