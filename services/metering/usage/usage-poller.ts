import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import type { PartReading, UsageStore } from '../../../shared/stores/usage-store.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { BytesReader } from './bytes-reader.ts';

export interface UsagePollerDeps {
  readonly readers: readonly BytesReader[];
  readonly usage: UsageStore;
  readonly intervalMs: number;
  /** Of several meters one measures; undefined where it is alone. */
  readonly lease: { fence(): Promise<Fence | undefined> } | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Measures what is stored now and then, and tells the ledger. A place that doesn't answer leaves its
 * last reading as it is, which grows stale; the others are told all the same.
 */
export class UsagePoller {
  readonly #deps: UsagePollerDeps;
  readonly #failed: (labels: Readonly<Record<string, string>>) => void;

  constructor(deps: UsagePollerDeps) {
    this.#deps = deps;
    this.#failed = deps.metrics.counter(
      'tollgate_usage_readings_failed_total',
      'Measurements of stored bytes or log bytes that failed, by kind',
    );
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, logger, readers } = this.#deps;
    if (readers.length === 0) return;
    while (!signal.aborted) {
      try {
        await this.measure(signal);
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'measuring what is stored failed');
      }
      await clock.sleep(intervalMs, signal);
    }
  }

  /** Once, one place after the other. */
  async measure(signal: AbortSignal): Promise<void> {
    const { readers, usage, lease, clock } = this.#deps;
    if (lease !== undefined && (await lease.fence()) === undefined) return;
    const readings: PartReading[] = [];
    for (const reader of readers) {
      if (signal.aborted) return;
      const { project, kind, part } = reader;
      const asOf = clock.now();
      try {
        readings.push({ project, kind, part, used: await reader.read(asOf, signal), asOf });
      } catch (error) {
        if (signal.aborted) return;
        this.#tell(reader, error);
      }
    }
    await usage.record(readings);
    for (const kind of ['stored-bytes', 'log-bytes'] as const) {
      await usage.keepParts(
        kind,
        readers.filter((one) => one.kind === kind),
      );
    }
  }

  #tell({ project, kind, part }: BytesReader, error: unknown): void {
    this.#failed({ kind });
    const why = error instanceof AppError ? error.message : 'it failed';
    this.#deps.logger.warn({ err: error, project, part }, `${kind} of ${project}: ${why}`);
  }
}
