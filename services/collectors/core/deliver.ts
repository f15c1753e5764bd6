import { AppError } from '../../../shared/errors/app-error.ts';
import { backoffMs } from '../../../shared/runtime/backoff.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Quarantine, QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';

/** One step of a collector: what is stored, what is refused, and what that means for its counters. */
export interface Delivery<R> {
  /** Stores the kept records with their checkpoints in one transaction. */
  readonly store: () => Promise<R>;
  readonly quarantined: readonly QuarantinedRecord[];
  readonly kept: number;
  /** How many were dropped, by reason. */
  readonly dropped: ReadonlyMap<string, number>;
}

export interface DeliverDeps {
  readonly collector: QuarantinedRecord['collector'];
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const RETRIABLE = new Set(['STORE_UNAVAILABLE', 'DISK_FULL']);
const BASE_MS = 100;
const CAP_MS = 10_000;

/**
 * Quarantines first, stores second, so that the checkpoint that comes with the records never
 * passes a refused one. A store that is away is tried again until the signal aborts: the caller
 * waits, and so does its source. Fates are counted once, after storing.
 */
export function createDeliver(
  deps: DeliverDeps,
): <R>(delivery: Delivery<R>, signal: AbortSignal) => Promise<R> {
  const { collector, quarantine, clock, logger, metrics } = deps;
  const records = metrics.counter('tollgate_records_total', 'Records by collector, fate, reason.');
  const retries = metrics.counter('tollgate_store_retries_total', 'Stores tried again.');

  async function persist<R>(delivery: Delivery<R>, signal: AbortSignal): Promise<R> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (delivery.quarantined.length > 0) await quarantine.put(delivery.quarantined);
        return await delivery.store();
      } catch (error) {
        const retriable = error instanceof AppError && RETRIABLE.has(error.code);
        if (!retriable || signal.aborted) throw error;
        retries({ collector });
        logger.warn({ error: error.message, attempt }, 'store unavailable, trying again');
        await clock.sleep(
          backoffMs(attempt, { baseMs: BASE_MS, capMs: CAP_MS, random: deps.random }),
          signal,
        );
        signal.throwIfAborted();
      }
    }
  }

  return async (delivery, signal) => {
    const result = await persist(delivery, signal);
    if (delivery.kept > 0) records({ collector, fate: 'kept', reason: '' }, delivery.kept);
    for (const [reason, count] of delivery.dropped) {
      records({ collector, fate: 'dropped', reason }, count);
    }
    for (const { reason } of delivery.quarantined) {
      records({ collector, fate: 'quarantined', reason });
    }
    return result;
  };
}
