/**
 * A time series: what is measured, of what. Tags always hold `project` and `cluster`; application
 * and executor ids are tags, never part of a name.
 */
export interface Series {
  /** Spark's source: `executor`, `jvm`, `BlockManager`, `streaming`, `cluster` … */
  readonly measurement: string;
  /** The metric in its source, such as `memory.memUsed_MB` or `cpuTime.count`. */
  readonly field: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A number that a metric writer gave to a series; valid for that writer's life only. */
export type SeriesRef = number;

/** Points in columns, so that a batch of thousands costs no object each. Entries `[0, length)` count. */
export interface PointBlock {
  readonly series: Uint32Array;
  /** Instants in ms. */
  readonly at: Float64Array;
  readonly value: Float64Array;
  readonly length: number;
}
