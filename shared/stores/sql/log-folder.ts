import { rmSync, statSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import { DAY_MS, utcDay } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { LogFile } from './log-file.ts';
import { compareLogFiles, type LogFileName, listLogFiles, logFilePath } from './log-file-name.ts';
import type { LogLimits } from './log-limits.ts';

/** One file holds at most this part of all bytes, so that the size limit can be kept by unlinking. */
const PARTS = 4;
/** Files in which a record id may have been stored: of today and of yesterday, this many at most. */
const MAX_RECENT = 8;

function sizeOf(path: string): number {
  const bytes = (name: string): number => statSync(name, { throwIfNoEntry: false })?.size ?? 0;
  return bytes(path) + bytes(`${path}-wal`);
}

function unlink(path: string): void {
  // The write-ahead log goes first: a file without it is whole, it without a file is nothing.
  for (const name of [`${path}-wal`, `${path}-shm`, path]) rmSync(name, { force: true });
}

/** The files of the writer: the one being written, and those of the last day behind it. */
export class LogFolder implements Disposable {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #limits: LogLimits;
  #recent: LogFile[] = [];
  #untidy: LogFile[] = [];
  #current: LogFile;

  constructor(folder: string, clock: Clock, limits: LogLimits) {
    this.#folder = folder;
    this.#clock = clock;
    this.#limits = limits;
    const today = utcDay(clock.now());
    const names = listLogFiles(folder);
    const last = names.at(-1) ?? { day: today, part: 1 };
    const before = names.at(-2);
    this.#current = this.#open(last, () => (before === undefined ? [] : this.#stored(before)));
    for (const name of names.slice(0, -1)) {
      if (this.#isRecent(name)) this.#recent.push(this.#open(name));
    }
    this.#dropOldRecent();
  }

  /** The file for records that come in now. */
  current(): LogFile {
    const today = utcDay(this.#clock.now());
    const old = this.#current;
    const { day, part } = old.name;
    const full =
      sizeOf(old.path) > Math.min(this.#limits.maxFileBytes, this.#limits.maxBytes / PARTS);
    if (today <= day && !full) return old;
    const name = today > day ? { day: today, part: 1 } : { day, part: part + 1 };
    this.#current = new LogFile(logFilePath(this.#folder, name), name, () => old.checkpoints(''));
    this.#recent.push(old);
    this.#untidy.push(old);
    this.retain();
    return this.#current;
  }

  /** Of a sender's own ids: stored before in a file of today or yesterday. */
  hasId(project: string, id: string): boolean {
    return this.#recent.some((file) => file.hasId(project, id));
  }

  /** A step of housekeeping, short enough to stand between two commits; true when there is more. */
  tidy(): boolean {
    const [file] = this.#untidy;
    if (file === undefined) return false;
    if (!file.tidy()) {
      this.#untidy.shift();
      if (!this.#recent.includes(file)) file[Symbol.dispose]();
    }
    return this.#untidy.length > 0;
  }

  /** Unlinks files over age and the oldest over size, never the one being written. */
  retain(): void {
    this.#dropOldRecent();
    const { retentionMs, maxBytes } = this.#limits;
    const names = listLogFiles(this.#folder);
    const sizes = new Map(names.map((name) => [name, sizeOf(logFilePath(this.#folder, name))]));
    let total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    const now = this.#clock.now();
    for (const name of names) {
      if (compareLogFiles(name, this.#current.name) >= 0) break;
      const old = name.day + DAY_MS + retentionMs <= now;
      if (!old && total <= maxBytes) break;
      this.#close(name);
      unlink(logFilePath(this.#folder, name));
      total -= sizes.get(name) ?? 0;
    }
  }

  #open(name: LogFileName, inherited: () => readonly Checkpoint[] = () => []): LogFile {
    return new LogFile(logFilePath(this.#folder, name), name, inherited);
  }

  #stored(name: LogFileName): Checkpoint[] {
    using file = this.#open(name);
    return file.checkpoints('');
  }

  #isRecent(name: LogFileName): boolean {
    return name.day >= utcDay(this.#clock.now()) - DAY_MS;
  }

  #close(name: LogFileName): void {
    const same = (file: LogFile): boolean => compareLogFiles(file.name, name) === 0;
    const open = new Set([...this.#recent, ...this.#untidy].filter(same));
    this.#recent = this.#recent.filter((file) => !open.has(file));
    this.#untidy = this.#untidy.filter((file) => !open.has(file));
    for (const file of open) file[Symbol.dispose]();
  }

  #dropOldRecent(): void {
    const kept = this.#recent.filter(({ name }) => this.#isRecent(name)).slice(-MAX_RECENT);
    for (const file of this.#recent) {
      if (!kept.includes(file) && !this.#untidy.includes(file)) file[Symbol.dispose]();
    }
    this.#recent = kept;
  }

  [Symbol.dispose](): void {
    for (const file of new Set([...this.#recent, ...this.#untidy, this.#current])) {
      file[Symbol.dispose]();
    }
  }
}
