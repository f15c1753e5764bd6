import type { Clock } from '../../../shared/runtime/clock.ts';
import type { MetricWriter } from '../../../shared/stores/metric-store.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import { createDeliver, type DeliverDeps } from '../core/deliver.ts';
import { PointBatch } from './point-batch.ts';
import type { SeriesTable } from './series-table.ts';

export interface PipelineDeps extends Omit<DeliverDeps, 'collector'> {
  readonly writer: MetricWriter;
  readonly table: SeriesTable;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface PipelineLimits {
  /** Points, or 20 bytes of refused lines each, that a batch holds before senders wait. */
  readonly batchPoints: number;
  readonly seriesIdleMs: number;
}

const BYTES_PER_POINT = 20;
const REATTRIBUTE_MS = 10_000;

/**
 * Between reading and storing: one batch is filled while another is stored, and when both are full
 * the readers wait. So memory holds two batches and one piece of each connection.
 */
export class MetricPipeline {
  readonly #deps: PipelineDeps;
  readonly #limits: PipelineLimits;
  readonly #deliver: ReturnType<typeof createDeliver>;
  readonly #pushes = new Set<Promise<unknown>>();
  #filling = new PointBatch();
  #spare = new PointBatch();
  #waiting: (() => void)[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #sweptAt: number;
  #reattributedAt: number;

  constructor(deps: PipelineDeps, limits: PipelineLimits) {
    this.#deps = deps;
    this.#limits = limits;
    this.#deliver = createDeliver({ ...deps, collector: 'metrics' });
    this.#sweptAt = deps.clock.elapsed();
    this.#reattributedAt = this.#sweptAt;
  }

  /** Where readers put what they read, in one turn; they await `room` afterwards. */
  get batch(): PointBatch {
    return this.#filling;
  }

  /** Says that the batch has something, and waits until it has room again. */
  async room(): Promise<void> {
    this.#wake?.();
    while (this.#filling.bytes >= this.#limits.batchPoints * BYTES_PER_POINT) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Stores batches one after the other until closed and empty. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#filling.isEmpty) {
        if (this.#closed) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        continue;
      }
      const batch = this.#filling;
      this.#filling = this.#spare;
      this.#spare = batch;
      for (const resume of this.#waiting.splice(0)) resume();
      this.#tidy();
      const delivered = this.#store(batch, signal);
      this.#releaseAfter(delivered);
      await delivered;
      batch.clear();
    }
  }

  /** Stores a pushed batch, beside the others. */
  push(batch: PointBatch, signal: AbortSignal): Promise<void> {
    const stored = this.#deliverBatch(batch, signal);
    this.#pushes.add(stored);
    const forget = (): void => {
      this.#pushes.delete(stored);
    };
    stored.then(forget, forget);
    return stored;
  }

  /** No more comes; `run` ends when what is there is stored. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  #deliverBatch(batch: PointBatch, signal: AbortSignal): Promise<void> {
    return this.#deliver(
      {
        store: () => this.#deps.writer.write(batch.block, []),
        quarantined: batch.quarantined,
        kept: batch.length,
        dropped: batch.dropped,
      },
      signal,
    );
  }

  /** A store that refuses for good must not stop the collector: the points are lost, and counted. */
  async #store(batch: PointBatch, signal: AbortSignal): Promise<void> {
    try {
      await this.#deliverBatch(batch, signal);
    } catch (error) {
      const records = this.#deps.metrics.counter(
        'tollgate_records_total',
        'Records by collector, fate, reason.',
      );
      records({ collector: 'metrics', fate: 'dropped', reason: 'store-failed' }, batch.length);
      this.#deps.logger.error({ err: error, points: batch.length }, 'points could not be stored');
    }
  }

  #tidy(): void {
    const { clock, table, metrics } = this.#deps;
    const now = clock.elapsed();
    if (now - this.#reattributedAt >= REATTRIBUTE_MS) {
      this.#reattributedAt = now;
      table.forgetProvisional();
      metrics.gauge('tollgate_metric_series', 'Names of live metric series.')({}, table.size);
    }
    if (now - this.#sweptAt >= this.#limits.seriesIdleMs / 2) {
      this.#sweptAt = now;
      table.sweep();
    }
  }

  /** A ref may be used anew only when no batch read so far still holds points of it. */
  #releaseAfter(delivered: Promise<void>): void {
    const refs = this.#deps.table.takeRetired();
    if (refs.length === 0) return;
    const release = (): void => this.#deps.writer.release(refs);
    Promise.allSettled([delivered, ...this.#pushes]).then(release, release);
  }
}
