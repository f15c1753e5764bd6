import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../values/instant.ts';

/** Bounds of an embedded metric store. */
export interface MetricLimits {
  /** Writes that come within this time of a commit wait for the next one, in ms. */
  readonly commitIntervalMs: number;
  /** A waiting group of this many points is committed at once. */
  readonly commitPoints: number;
  /** A tail this long is compacted; also how much one compaction takes on. */
  readonly compactPoints: number;
  /** A tail is compacted this long after the last time, however short, in ms. */
  readonly compactIntervalMs: number;
  /** An hour is aggregated into minutes this long after its end, in ms. */
  readonly sealGraceMs: number;
  /** Age at which a day's raw points go, in ms. */
  readonly rawRetentionMs: number;
  /** Age at which a day's one-minute aggregates go, in ms. */
  readonly minuteRetentionMs: number;
  /** All files together; the oldest go when it is passed. */
  readonly maxBytes: number;
  /** A commit that leaves less free than this on the disk is refused. */
  readonly diskReserveBytes: number;
}

const GIB = 1024 ** 3;

export const METRIC_LIMITS: MetricLimits = {
  commitIntervalMs: 200,
  commitPoints: 250_000,
  compactPoints: 1_000_000,
  compactIntervalMs: 5 * MINUTE_MS,
  sealGraceMs: 5 * MINUTE_MS,
  rawRetentionMs: 48 * HOUR_MS,
  minuteRetentionMs: 35 * DAY_MS,
  maxBytes: 20 * GIB,
  diskReserveBytes: GIB,
};
