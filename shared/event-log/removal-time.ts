import type { Instant } from '../values/instant.ts';
import type { Configuration } from './container-size.ts';

const DELAY = 'spark.standalone.executorRemoveDelayOnDisconnection';
const DEFAULT_DELAY_MS = 5_000;
/** What Spark says when nobody told it why an executor left. */
const UNTOLD = /^(Executor killed by driver|Remote RPC client disassociated)/;
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  '': 1_000,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export interface RemovedFrom {
  /** As the log's start says it; '' where it doesn't. */
  readonly sparkVersion: string;
  readonly configuration: Configuration;
}

function hasDelay(sparkVersion: string): boolean {
  const [major = 0, minor = 0] = sparkVersion.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 4);
}

/**
 * When an executor ended whose removal Spark reports at `at`. On a standalone cluster a driver whose
 * executor has left waits for the master to say why, and the master says nothing of those that it
 * was asked to kill, so that the removal stands late by the whole wait. Source: apache/spark
 * core/…/cluster/StandaloneSchedulerBackend.scala, since 3.4.
 */
export function removalTime(
  at: Instant,
  reason: string,
  { sparkVersion, configuration }: RemovedFrom,
): Instant {
  const isStandalone = configuration.get('spark.master')?.startsWith('spark://') ?? false;
  if (!isStandalone || !UNTOLD.test(reason) || !hasDelay(sparkVersion)) return at;
  const [, amount, unit = ''] =
    /^(\d{1,9})(ms|s|m|min|h|d|)$/.exec((configuration.get(DELAY) ?? '').trim()) ?? [];
  const delayMs = amount === undefined ? DEFAULT_DELAY_MS : Number(amount) * (UNIT_MS[unit] ?? 0);
  return at - delayMs;
}
