import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PointBlock } from '../../shared/contracts/metric-point.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Aggregate } from '../../shared/stores/metric-store.ts';
import type { MetricLimits } from '../../shared/stores/sql/metric-limits.ts';
import {
  openMetricReader,
  type SqliteMetricReader,
} from '../../shared/stores/sql/metric-reader.ts';
import {
  openMetricWriter,
  type SqliteMetricWriter,
} from '../../shared/stores/sql/metric-writer.ts';
import { DAY_MS, type Instant } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

export const P = 'p' as ProjectId;
export const MORNING = Date.UTC(2026, 10, 20, 8);

/** Leaps: sleepers wake once, however often they would have woken on the way. */
class LeapClock implements Clock {
  #now = MORNING;
  #sleepers: { at: Instant; wake: () => void }[] = [];

  now(): Instant {
    return this.#now;
  }

  elapsed(): number {
    return this.#now - MORNING;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#sleepers.push({ at: this.#now + ms, wake: resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  leap(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
  }
}

/** A metric store in a folder of its own, with one series `m.f` of project `p`. */
export class MetricBench implements AsyncDisposable {
  readonly clock: LeapClock;
  readonly folder: string;
  readonly limits: Partial<MetricLimits>;
  writer: SqliteMetricWriter;
  readonly reader: SqliteMetricReader;

  private constructor(
    folder: string,
    limits: Partial<MetricLimits>,
    parts: { writer: SqliteMetricWriter; reader: SqliteMetricReader; clock: LeapClock },
  ) {
    this.folder = folder;
    this.limits = limits;
    this.writer = parts.writer;
    this.reader = parts.reader;
    this.clock = parts.clock;
  }

  static async open(extra: Partial<MetricLimits> = {}): Promise<MetricBench> {
    const folder = await mkdtemp(join(tmpdir(), 'metric-writer-'));
    const clock = new LeapClock();
    const limits = { commitIntervalMs: 0, diskReserveBytes: 0, ...extra };
    const writer = await openMetricWriter({ folder, clock, limits });
    return new MetricBench(folder, limits, {
      writer,
      clock,
      reader: await openMetricReader({ folder }),
    });
  }

  async reopen(): Promise<void> {
    await this.writer[Symbol.asyncDispose]();
    const { folder, clock, limits } = this;
    this.writer = await openMetricWriter({ folder, clock, limits });
  }

  /** One series; `[at, value]` each. */
  async put(...points: readonly (readonly [Instant, number])[]): Promise<void> {
    await this.writer.write(this.block(points), []);
  }

  block(points: readonly (readonly [Instant, number])[]): PointBlock {
    const tags = { project: P, cluster: 'c' };
    const ref = this.writer.declare({ measurement: 'm', field: 'f', tags });
    return {
      series: new Uint32Array(points.length).fill(ref),
      at: Float64Array.from(points, ([at]) => at),
      value: Float64Array.from(points, ([, value]) => value),
      length: points.length,
    };
  }

  async read(stepMs = 0, aggregate: Aggregate = 'last'): Promise<unknown> {
    const query = { measurement: 'm', field: 'f', from: 0, until: MORNING + 99 * DAY_MS };
    const found = await this.reader.query(P, { ...query, stepMs, aggregate, limit: 5 });
    return found[0]?.points ?? [];
  }

  files(): string[] {
    return readdirSync(this.folder).filter((name) => name.endsWith('.db'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer[Symbol.asyncDispose]();
    await this.reader[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}
