import type { PointBlock, Series, SeriesRef } from '../../contracts/metric-point.ts';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { MINUTE_MS } from '../../values/instant.ts';
import type { Checkpoint, CheckpointStore } from '../checkpoint.ts';
import type { Fence } from '../lease.ts';
import type { MetricWriter } from '../metric-store.ts';
import type { InfluxConfig } from './config.ts';
import { InfluxConnection } from './influx-connection.ts';
import { InfluxDeclarations, type SeriesFate } from './influx-declarations.ts';
import { RAW_POLICY } from './influx-target.ts';
import { isInfluxTime } from './influx-time.ts';
import { LineSender } from './line-sender.ts';
import { MetricSchema } from './metric-schema.ts';
import { emptyColumns, type PointColumns } from './point-lines.ts';
import { seriesCount } from './series-count.ts';
import { type RefusedPoint, type ServerFate, storePoints } from './store-points.ts';
import { WindowMarks } from './window-marks.ts';

/** Why a point is not in the store, though its write resolved. */
export type PointFate =
  | SeriesFate
  | ServerFate
  | RefusedPoint['reason']
  | 'not-a-number'
  | 'time-implausible';

export interface InfluxMetricWriterOptions {
  readonly config: InfluxConfig;
  readonly clock: Clock;
  readonly random: () => number;
  /** Where checkpoints go once their points are acknowledged; closed by who opened it. */
  readonly checkpoints: CheckpointStore;
  /**
   * Takes the points that the server refuses for what they are, before their write resolves. It may
   * get the same point again when a write is repeated.
   */
  readonly onRefused: (point: RefusedPoint) => Promise<void>;
  /** Hears once of each write how many of its points met which fate. */
  readonly onFate: (fate: PointFate, points: number) => void;
  readonly logger?: Logger;
}

interface PendingWrite {
  readonly block: PointBlock;
  readonly checkpoints: readonly Checkpoint[];
  readonly fences: readonly Fence[];
  resolve(): void;
  reject(error: unknown): void;
}

interface Lane {
  points: PointColumns;
  sent: Promise<void>;
}

/** Writes that are waiting are stored together, up to so many points. */
const GROUP_POINTS = 500_000;
const COUNT_SERIES_MS = MINUTE_MS;

/**
 * MetricWriter on InfluxDB. Points of one series always take the same lane, whose requests follow
 * each other, so that the later value stands.
 */
class InfluxMetricWriter implements MetricWriter {
  readonly #options: InfluxMetricWriterOptions;
  readonly #connection: InfluxConnection;
  readonly #declarations: InfluxDeclarations;
  readonly #sender: LineSender;
  readonly #marks: WindowMarks;
  readonly #closing = new AbortController();
  readonly #lanes: Lane[];
  #pending: PendingWrite[] = [];
  #flushing: Promise<void> | undefined;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(options: InfluxMetricWriterOptions) {
    const { config, clock, random, logger } = options;
    this.#options = options;
    this.#connection = new InfluxConnection(config, clock);
    this.#declarations = new InfluxDeclarations(new MetricSchema(config.measurements), config);
    this.#sender = new LineSender(
      {
        connection: this.#connection,
        clock,
        random,
        retryMs: config.retryMs,
        ...(logger && { logger }),
      },
      this.#closing.signal,
    );
    this.#marks = new WindowMarks(config.longGraceMs);
    this.#lanes = Array.from({ length: config.requestsInFlight }, () => ({
      points: emptyColumns(config.batchPoints),
      sent: Promise.resolve(),
    }));
  }

  declare(series: Series): SeriesRef {
    return this.#declarations.declare(series);
  }

  release(refs: Iterable<SeriesRef>): void {
    this.#declarations.release(refs);
  }

  checkpoints(prefix: string): Promise<Checkpoint[]> {
    return this.#options.checkpoints.checkpoints(prefix);
  }

  /** The block must not change before this resolves. */
  write(
    block: PointBlock,
    checkpoints: readonly Checkpoint[],
    fences: readonly Fence[] = [],
  ): Promise<void> {
    if (this.#closing.signal.aborted) {
      return Promise.reject(new AppError('STORE_UNAVAILABLE', 'the metric store is closed'));
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ block, checkpoints, fences, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    // Writes of the same turn share a request.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#store(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        // A later write must not save a position behind points that failed; another process reads on
        // behind those of a lost lease.
        const isFenced = error instanceof AppError && error.code === 'FENCED';
        const failed = isFenced ? group : [...group, ...this.#pending.splice(0)];
        for (const { reject } of failed) reject(error);
      }
    }
    this.#flushing = undefined;
  }

  #takeGroup(): PendingWrite[] {
    let points = 0;
    let writes = 0;
    for (const { block, fences } of this.#pending) {
      if (writes > 0 && points + block.length > GROUP_POINTS) break;
      // Whose lease is lost must not make others fail.
      if (fences.length > 0 && writes > 0) break;
      points += block.length;
      writes += 1;
      if (fences.length > 0) break;
    }
    return this.#pending.splice(0, writes);
  }

  async #store(group: readonly PendingWrite[]): Promise<void> {
    await this.#countSeries();
    const fates = new Map<PointFate, number>();
    const count = (fate: PointFate, points: number): void => {
      fates.set(fate, (fates.get(fate) ?? 0) + points);
    };
    try {
      for (const { block } of group) await this.#fill(block, count);
      await Promise.all(this.#lanes.map((lane) => this.#send(lane, count)));
      await Promise.all(this.#lanes.map(({ sent }) => sent));
      await this.#mark();
    } finally {
      await Promise.allSettled(this.#lanes.map(({ sent }) => sent));
      for (const lane of this.#lanes) {
        lane.sent = Promise.resolve();
        lane.points.length = 0;
      }
      this.#marks.forget();
    }
    // Of a source that comes twice the later position counts.
    const latest = new Map(group.flatMap((w) => w.checkpoints).map((c) => [c.source, c]));
    const fences = group.flatMap((one) => one.fences);
    if (latest.size > 0) await this.#options.checkpoints.save([...latest.values()], fences);
    for (const [fate, points] of fates) this.#options.onFate(fate, points);
  }

  async #fill(block: PointBlock, count: (fate: PointFate, points: number) => void): Promise<void> {
    const { batchPoints, rawRetentionMs, requestsInFlight } = this.#options.config;
    const notBefore = this.#options.clock.now() - rawRetentionMs;
    for (let i = 0; i < block.length; i += 1) {
      const at = block.at[i] ?? 0;
      const value = block.value[i] ?? 0;
      const declared = this.#declarations.get(block.series[i] ?? 0);
      const fate = this.#declarations.fateOf(declared);
      if (fate !== undefined) count(fate, 1);
      else if (!Number.isFinite(value)) count('not-a-number', 1);
      else if (!isInfluxTime(at)) count('time-implausible', 1);
      else if (at < notBefore) count('beyond-retention', 1);
      else {
        const key = declared.key;
        const lane = this.#lanes[(key?.number ?? 0) % requestsInFlight];
        if (lane === undefined) continue;
        const { points } = lane;
        points.series[points.length] = declared;
        points.at[points.length] = at;
        points.value[points.length] = value;
        points.length += 1;
        this.#marks.touch(key?.project ?? '', at);
        if (points.length === batchPoints) await this.#send(lane, count);
      }
    }
  }

  /** Begins to send what a lane holds, once its request before is answered. */
  async #send(lane: Lane, count: (fate: PointFate, points: number) => void): Promise<void> {
    await lane.sent;
    if (lane.points.length === 0) return;
    const { points } = lane;
    lane.points = emptyColumns(this.#options.config.batchPoints);
    lane.sent = storePoints(
      {
        send: (lines) => this.#sender.send(RAW_POLICY, lines),
        maxBytes: this.#options.config.batchBytes,
        onFate: count,
        onRefused: async (point) => {
          await this.#options.onRefused(point);
          count(point.reason, 1);
        },
      },
      points,
    );
    // It is awaited later, which must not count as unhandled until then.
    lane.sent.catch(() => undefined);
  }

  async #mark(): Promise<void> {
    const lines = this.#marks.lines(this.#options.clock.now());
    if (lines !== '') {
      const answer = await this.#sender.send(RAW_POLICY, lines);
      // An hour whose beginning is beyond the retention isn't aggregated any more.
      if (answer !== undefined && answer.kind !== 'beyond-retention') {
        throw this.#connection.misconfigured(`refuses Tollgate's own marks: ${answer.kind}`);
      }
    }
    this.#marks.done();
  }

  /** What fails here is told by the write that follows. */
  async #countSeries(): Promise<void> {
    const { clock, logger } = this.#options;
    if (clock.elapsed() - this.#countedAt < COUNT_SERIES_MS) return;
    this.#countedAt = clock.elapsed();
    try {
      const series = await seriesCount(this.#connection, this.#closing.signal);
      if (series !== undefined) this.#declarations.budget.countedByServer(series);
    } catch (error) {
      logger?.warn({ err: error }, 'the series in InfluxDB could not be counted');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#flushing;
    this.#connection[Symbol.dispose]();
  }
}

/** Opens metrics in InfluxDB for writing. Nothing is asked of the server yet. */
export function openInfluxMetricWriter(options: InfluxMetricWriterOptions): Promise<MetricWriter> {
  return Promise.resolve(new InfluxMetricWriter(options));
}
