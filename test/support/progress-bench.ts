import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProgressConfig, progressConfig } from '../../services/collectors/progress/config.ts';
import {
  type Progress,
  type ProgressDeps,
  startProgress,
} from '../../services/collectors/progress/start.ts';
import { QUERY_STATES } from '../../shared/contracts/progress-record.ts';
import { VERDICTS } from '../../shared/contracts/rest.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { MetricReader, MetricWriter } from '../../shared/stores/metric-store.ts';
import type { Quarantine, QuarantinedRecord } from '../../shared/stores/quarantine.ts';
import { openMetricReader } from '../../shared/stores/sql/metric-reader.ts';
import { openMetricWriter } from '../../shared/stores/sql/metric-writer.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { FakeClock } from './fake-clock.ts';

export const NOW = Date.parse('2026-11-21T09:00:00Z');
export const ETL = 'etl' as ProjectId;

/** Keeps refused records in memory, as the port promises. */
export class MemoryQuarantine implements Quarantine {
  readonly records = new Map<string, QuarantinedRecord>();

  async put(records: readonly QuarantinedRecord[]): Promise<void> {
    for (const record of records) this.records.set(record.id, record);
  }

  async list(): Promise<QuarantinedRecord[]> {
    return [...this.records.values()];
  }

  async count(): Promise<{ collector: string; reason: string; records: number }[]> {
    return [];
  }

  async remove(ids: readonly string[]): Promise<number> {
    return ids.filter((id) => this.records.delete(id)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A progress collector on real metric files in a folder of its own, with a clock that stands. */
export class ProgressBench implements AsyncDisposable {
  readonly clock = new FakeClock(NOW);
  readonly metrics = new Metrics();
  readonly quarantine = new MemoryQuarantine();
  readonly folder: string;
  readonly reader: MetricReader;
  writer: MetricWriter;
  progress: Progress | undefined;

  constructor(folder: string, writer: MetricWriter, reader: MetricReader) {
    this.folder = folder;
    this.writer = writer;
    this.reader = reader;
  }

  static async open(): Promise<ProgressBench> {
    const folder = await mkdtemp(join(tmpdir(), 'progress-'));
    return new ProgressBench(
      folder,
      await ProgressBench.#writer(folder),
      await openMetricReader({ folder }),
    );
  }

  static #writer(folder: string): Promise<MetricWriter> {
    const clock = { ...systemClock, now: () => NOW };
    const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
    return openMetricWriter({ folder, clock, limits });
  }

  async start(config: Partial<ProgressConfig> = {}, extra: Partial<ProgressDeps> = {}) {
    this.progress = await startProgress({
      config: { ...progressConfig.parse(undefined), ...config },
      writer: this.writer,
      quarantine: this.quarantine,
      clock: this.clock,
      random: () => 0.5,
      logger: silentLogger,
      metrics: this.metrics,
      ...extra,
    });
    return this.progress;
  }

  async stop(): Promise<void> {
    await this.progress?.[Symbol.asyncDispose]();
    this.progress = undefined;
  }

  /** As after a kill: only what is in the file is known. */
  async restart(): Promise<void> {
    await this.stop();
    await this.writer[Symbol.asyncDispose]();
    this.writer = await ProgressBench.#writer(this.folder);
    await this.start();
  }

  send(records: readonly (object | string)[], project: ProjectId | undefined = ETL) {
    const lines = records.map((r) => (typeof r === 'string' ? r : JSON.stringify(r)));
    assert.ok(this.progress !== undefined);
    return this.progress.ingest({
      body: new TextEncoder().encode(lines.join('\n')),
      project,
      cluster: 'yarn',
      receivedAt: this.clock.now(),
    });
  }

  async query(project = ETL) {
    const [row, ...others] = await this.reader.latest(project, 'streaming_query', 0);
    assert.equal(others.length, 0);
    if (row === undefined) return undefined;
    return {
      tags: row.tags,
      fields: row.fields,
      verdict: VERDICTS[row.fields['verdict'] ?? -1],
      state: QUERY_STATES[row.fields['state'] ?? -1],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.writer[Symbol.asyncDispose]();
    await this.reader[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}

/** Of the query whose batches these are. */
export const IDS = { id: 'q-1', runId: 'r-1' };

/** One Kafka partition's batch; batches are ten seconds apart. */
export function aBatch(batchId: number, end: number, latest: number, ids = IDS): object {
  return {
    ...ids,
    name: 'orders',
    timestamp: new Date(NOW - 600_000 + batchId * 10_000).toISOString(),
    batchId,
    numInputRows: 10,
    inputRowsPerSecond: 5,
    processedRowsPerSecond: 6,
    durationMs: { triggerExecution: 2_000, addBatch: 1_000 },
    sources: [
      {
        description: 'KafkaV2[Subscribe[t]]',
        startOffset: null,
        endOffset: { t: { 0: end } },
        latestOffset: { t: { 0: latest } },
        numInputRows: 10,
        inputRowsPerSecond: 5,
        processedRowsPerSecond: 6,
      },
    ],
    application: 'application_1_0001',
  };
}
