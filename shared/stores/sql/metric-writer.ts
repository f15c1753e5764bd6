import { mkdirSync } from 'node:fs';
import type { PointBlock, Series, SeriesRef } from '../../contracts/metric-point.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { SECOND_MS } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { MetricWriter } from '../metric-store.ts';
import { DiskReserve } from './disk-reserve.ts';
import { GroupCommit } from './group-commit.ts';
import { MetricDeclarations } from './metric-declarations.ts';
import { MetricFolder } from './metric-folder.ts';
import { METRIC_LIMITS, type MetricLimits } from './metric-limits.ts';
import type { PointColumns } from './metric-point-order.ts';
import type { MetricRawFile } from './metric-raw-file.ts';

export interface MetricWriterOptions {
  /** Made when it isn't there. One writer at a time. */
  readonly folder: string;
  readonly clock: Clock;
  readonly limits?: Partial<MetricLimits>;
  /** Hears of housekeeping that failed and is tried again. */
  readonly logger?: Logger;
}

interface PendingWrite {
  readonly block: PointBlock;
  readonly checkpoints: readonly Checkpoint[];
}

const HOUSEKEEPING_MS = SECOND_MS;

/** MetricWriter on SQLite files, with its housekeeping: compaction, sealing, retention. */
export class SqliteMetricWriter implements MetricWriter {
  readonly #clock: Clock;
  readonly #limits: MetricLimits;
  readonly #logger: Logger | undefined;
  readonly #folder: MetricFolder;
  readonly #disk: DiskReserve;
  readonly #commits: GroupCommit<PendingWrite, void>;
  readonly #declarations = new MetricDeclarations();
  readonly #closing = new AbortController();
  readonly #housekeeping: Promise<void>;
  /** The file whose ids the declarations hold. */
  #idsOf: MetricRawFile | undefined;

  constructor(options: MetricWriterOptions) {
    const { folder, clock } = options;
    const limits = { ...METRIC_LIMITS, ...options.limits };
    this.#clock = clock;
    this.#limits = limits;
    this.#logger = options.logger;
    mkdirSync(folder, { recursive: true });
    this.#folder = new MetricFolder(folder, clock, limits);
    this.#disk = new DiskReserve({
      folder,
      reserveBytes: limits.diskReserveBytes,
      waits: 'metrics',
      clock,
    });
    this.#commits = new GroupCommit({
      clock,
      name: 'metric store',
      intervalMs: limits.commitIntervalMs,
      fullSize: limits.commitPoints,
      commit: (group) => this.#commit(group),
      committed: () => this.#compactFullTail(),
    });
    this.#housekeeping = this.#keepHouse(this.#closing.signal);
  }

  declare(series: Series): SeriesRef {
    return this.#declarations.declare(series);
  }

  release(refs: Iterable<SeriesRef>): void {
    this.#declarations.release(refs);
  }

  /** The block must not change before this resolves. */
  write(block: PointBlock, checkpoints: readonly Checkpoint[]): Promise<void> {
    return this.#commits.add({ block, checkpoints }, block.length);
  }

  checkpoints(prefix: string): Promise<Checkpoint[]> {
    return Promise.resolve(this.#folder.current().checkpoints(prefix));
  }

  /** Compacts the whole tail, aggregates every hour that is over, and applies the limits. */
  async maintain(): Promise<void> {
    this.#folder.compact(this.#limits.compactPoints);
    while (this.#folder.sealSome()) await this.#clock.sleep(0, this.#closing.signal);
    this.#folder.retain();
  }

  #commit(group: readonly PendingWrite[]): undefined[] {
    const points = group.reduce((sum, { block }) => sum + block.length, 0);
    const fresh: SeriesRef[] = [];
    try {
      this.#disk.check();
      const file = this.#folder.current();
      if (file !== this.#idsOf) this.#declarations.forgetFileIds();
      this.#idsOf = file;
      file.transaction(() => {
        if (points > 0) file.appendBatch(this.#columns(group, file, fresh));
        for (const { checkpoints } of group) file.putCheckpoints(checkpoints);
      });
      file.tailGrew(points);
    } catch (error) {
      for (const ref of fresh) this.#declarations.fileIds[ref] = 0;
      throw error;
    }
    return group.map(() => undefined);
  }

  #compactFullTail(): void {
    const { compactPoints } = this.#limits;
    if ((this.#idsOf?.tailPoints ?? 0) < compactPoints) return;
    this.#attempt(() => this.#folder.compact(compactPoints));
  }

  /** Joins the blocks of a group under the file's ids; `fresh` collects refs that got theirs now. */
  #columns(group: readonly PendingWrite[], file: MetricRawFile, fresh: SeriesRef[]): PointColumns {
    const total = group.reduce((sum, { block }) => sum + block.length, 0);
    const columns = {
      series: new Uint32Array(total),
      at: new Float64Array(total),
      value: new Float64Array(total),
    };
    const { fileIds } = this.#declarations;
    let offset = 0;
    for (const { block } of group) {
      for (let i = 0; i < block.length; i += 1) {
        const ref = block.series[i] ?? 0;
        let id = fileIds[ref] ?? 0;
        if (id === 0) {
          id = file.seriesId(this.#declarations.row(ref));
          fileIds[ref] = id;
          fresh.push(ref);
        }
        columns.series[offset + i] = id;
      }
      columns.at.set(block.at.subarray(0, block.length), offset);
      columns.value.set(block.value.subarray(0, block.length), offset);
      offset += block.length;
    }
    return columns;
  }

  async #keepHouse(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(HOUSEKEEPING_MS, signal);
      if (signal.aborted) return;
      this.#attempt(() => this.#folder.tidy());
    }
  }

  /** What fails here stays to be done, and is done again at the next turn. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#logger?.warn({ err: error }, 'metric housekeeping failed, it is tried again');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#commits[Symbol.asyncDispose]();
    await this.#housekeeping;
    this.#folder[Symbol.dispose]();
  }
}

/** Opens the metric files of a folder for writing. */
export function openMetricWriter(options: MetricWriterOptions): Promise<SqliteMetricWriter> {
  return Promise.resolve(new SqliteMetricWriter(options));
}
