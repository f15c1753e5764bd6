import { rmSync, statSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, utcDay } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { compactTail } from './metric-compaction.ts';
import {
  listMetricFiles,
  type MetricFileKind,
  type MetricFileName,
  metricFilePath,
} from './metric-file-name.ts';
import type { MetricLimits } from './metric-limits.ts';
import { MetricMinutesFile } from './metric-minutes-file.ts';
import { MetricRawFile } from './metric-raw-file.ts';
import { type SealPosition, sealSome } from './metric-sealing.ts';

/** One file holds at most this part of all bytes, so that the size limit can be kept by unlinking. */
const PARTS = 8;
const SERIES_PER_SLICE = 200;
const SLICES_PER_TURN = 10;

function sizeOf(path: string): number {
  const bytes = (name: string): number => statSync(name, { throwIfNoEntry: false })?.size ?? 0;
  return bytes(path) + bytes(`${path}-wal`);
}

function unlink(path: string): void {
  // The write-ahead log goes first: a file without it is whole, it without a file is nothing.
  for (const name of [`${path}-wal`, `${path}-shm`, path]) rmSync(name, { force: true });
}

/** The files of the writer: the one being written, and older ones that still have work in them. */
export class MetricFolder implements Disposable {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #limits: MetricLimits;
  #current: MetricRawFile | undefined;
  #backlog: MetricRawFile[] = [];
  #sealing: { file: MetricRawFile; position: SealPosition } | undefined;
  #compactedAt: number;
  #retainedAt: number;

  constructor(folder: string, clock: Clock, limits: MetricLimits) {
    this.#folder = folder;
    this.#clock = clock;
    this.#limits = limits;
    this.#compactedAt = clock.elapsed();
    this.#retainedAt = clock.elapsed();
    for (const name of listMetricFiles(folder, 'raw')) {
      const before = this.#current;
      this.#current = this.#open(name, () => before?.checkpoints('') ?? []);
      if (before !== undefined) this.#backlog.push(before);
    }
  }

  /** The file for points that come in now. */
  current(): MetricRawFile {
    const today = utcDay(this.#clock.now());
    const old = this.#current;
    if (old === undefined) {
      this.#current = this.#open({ day: today, part: 1 });
      return this.#current;
    }
    const full = sizeOf(old.path) > this.#limits.maxBytes / PARTS;
    if (today <= old.name.day && !full) return old;
    const name =
      today > old.name.day
        ? { day: today, part: 1 }
        : { day: old.name.day, part: old.name.part + 1 };
    this.#current = this.#open(name, () => old.checkpoints(''));
    this.#backlog.push(old);
    if (full) this.retain();
    return this.#current;
  }

  #open(name: MetricFileName, inherited: () => readonly Checkpoint[] = () => []): MetricRawFile {
    return new MetricRawFile(metricFilePath(this.#folder, 'raw', name), name, inherited);
  }

  /** Turns all tails into chunks, `points` at a time. */
  compact(points: number): void {
    this.#compactedAt = this.#clock.elapsed();
    for (const file of [...this.#backlog, this.#current]) {
      while (file !== undefined && file.tailPoints > 0) compactTail(file, points);
    }
  }

  /** One turn of housekeeping, short enough to stand between two commits. */
  tidy(): void {
    const now = this.#clock.elapsed();
    if (now - this.#compactedAt >= this.#limits.compactIntervalMs) {
      this.compact(this.#limits.compactPoints);
    }
    for (let slice = 0; slice < SLICES_PER_TURN && this.sealSome(); slice += 1);
    if (now - this.#retainedAt >= MINUTE_MS) this.retain();
  }

  /** Seals a slice of an hour that is over; false when there is none. */
  sealSome(): boolean {
    this.#sealing ??= this.#nextToSeal();
    if (this.#sealing === undefined) return false;
    const { file, position } = this.#sealing;
    using minutes = new MetricMinutesFile(metricFilePath(this.#folder, 'minutes', file.name));
    const next = sealSome(file, minutes, position, SERIES_PER_SLICE);
    this.#sealing = next === undefined ? undefined : { file, position: next };
    return true;
  }

  #nextToSeal(): { file: MetricRawFile; position: SealPosition } | undefined {
    for (const file of this.#backlog) {
      if (file.tailPoints > 0) continue;
      // No more points come into it, so hours that are not over yet are as whole as they get.
      const [open] = file.unsealedHours();
      if (open !== undefined) return { file, position: { ...open, afterSeries: 0 } };
      this.#backlog = this.#backlog.filter((other) => other !== file);
      file[Symbol.dispose]();
    }
    if (this.#current === undefined) return undefined;
    const over = this.#clock.now() - this.#limits.sealGraceMs - HOUR_MS;
    const open = this.#current.unsealedHours().find(({ hour }) => hour <= over);
    return open && { file: this.#current, position: { ...open, afterSeries: 0 } };
  }

  /** Unlinks the oldest files until the limits of age and size hold. */
  retain(): void {
    this.#retainedAt = this.#clock.elapsed();
    const now = this.#clock.now();
    const old = (name: MetricFileName, keepMs: number): boolean =>
      name.day + DAY_MS + keepMs <= now;
    const busy = (name: MetricFileName): boolean =>
      [...this.#backlog, this.#current].some(
        (file) => file?.name.day === name.day && file.name.part === name.part,
      );
    for (const name of listMetricFiles(this.#folder, 'raw')) {
      if (old(name, this.#limits.rawRetentionMs) && !busy(name)) this.#unlink('raw', name);
    }
    for (const name of listMetricFiles(this.#folder, 'minutes')) {
      if (old(name, this.#limits.minuteRetentionMs) && !busy(name)) this.#unlink('minutes', name);
    }
    this.#retainSize();
  }

  #retainSize(): void {
    const kinds = ['raw', 'minutes'] as const;
    const files = kinds.flatMap((kind) =>
      listMetricFiles(this.#folder, kind).map((name) => ({ kind, name })),
    );
    const bytes = ({ kind, name }: { kind: MetricFileKind; name: MetricFileName }): number =>
      sizeOf(metricFilePath(this.#folder, kind, name));
    let total = files.reduce((sum, file) => sum + bytes(file), 0);
    for (const file of files) {
      if (total <= this.#limits.maxBytes) return;
      const { day, part } = this.#current?.name ?? {};
      if (file.name.day === day && file.name.part === part) continue;
      total -= bytes(file);
      this.#unlink(file.kind, file.name);
    }
  }

  #unlink(kind: MetricFileKind, name: MetricFileName): void {
    const path = metricFilePath(this.#folder, kind, name);
    const open = this.#backlog.find((file) => file.path === path);
    if (open !== undefined) {
      if (this.#sealing?.file === open) this.#sealing = undefined;
      this.#backlog = this.#backlog.filter((file) => file !== open);
      open[Symbol.dispose]();
    }
    unlink(path);
  }

  [Symbol.dispose](): void {
    for (const file of this.#backlog) file[Symbol.dispose]();
    this.#current?.[Symbol.dispose]();
  }
}
