import { DAY_MS } from '../../values/instant.ts';

/** Bounds of an embedded log store. */
export interface LogLimits {
  /** Writes that come within this time of a commit wait for the next one, in ms. */
  readonly commitIntervalMs: number;
  /** A waiting group of this many records is committed at once. */
  readonly commitRecords: number;
  /** Age at which a day's file goes, in ms. */
  readonly retentionMs: number;
  /** All files together; the oldest go when it is passed. */
  readonly maxBytes: number;
  /** A file that is larger is followed by the next part of the day. */
  readonly maxFileBytes: number;
  /** A commit that leaves less free than this on the disk is refused. */
  readonly diskReserveBytes: number;
}

const GIB = 1024 ** 3;

export const LOG_LIMITS: LogLimits = {
  commitIntervalMs: 20,
  commitRecords: 5_000,
  retentionMs: 30 * DAY_MS,
  maxBytes: 20 * GIB,
  maxFileBytes: GIB,
  diskReserveBytes: GIB,
};
