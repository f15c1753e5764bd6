import type { PointBlock, Series, SeriesRef } from '../contracts/metric-point.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Checkpoint, CheckpointReader } from './checkpoint.ts';
import type { Fence } from './lease.ts';

export interface MetricWriter extends AsyncDisposable, CheckpointReader {
  /** The same series always gets the same ref from one writer. Cheap after the first time. */
  declare(series: Series): SeriesRef;
  /**
   * Says that the caller writes to these refs no more: one release for each declaration, so that
   * the series of ended applications don't fill the memory. Optional to call; stored points stay.
   */
  release(refs: Iterable<SeriesRef>): void;
  /**
   * Stores all points with the checkpoints, durable when it resolves. A point is its series and
   * time: written again, the later value stands.
   *
   * @param fences leases under which the sources are read, where several processes divide them; only
   *   a store that keeps checkpoints apart knows leases
   * @throws AppError FENCED when another process has taken over: no checkpoint is saved then
   */
  write(
    block: PointBlock,
    checkpoints: readonly Checkpoint[],
    fences?: readonly Fence[],
  ): Promise<void>;
}

export type Aggregate = 'last' | 'mean' | 'min' | 'max' | 'sum' | 'count';

export interface MetricQuery {
  readonly measurement: string;
  readonly field: string;
  /** Exact values; a tag that is left out matches all. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly from: Instant;
  readonly until: Instant;
  /** Window of the aggregate in ms; 0 gives raw points. */
  readonly stepMs: number;
  readonly aggregate: Aggregate;
  /** Most series in the answer; more is an error that says so. */
  readonly limit: number;
}

export interface SeriesPoints {
  readonly tags: Readonly<Record<string, string>>;
  /** In order of time: [instant, value]. */
  readonly points: readonly (readonly [Instant, number])[];
}

export interface MetricReader extends AsyncDisposable {
  query(project: ProjectId, query: MetricQuery): Promise<SeriesPoints[]>;
  /** The newest value of every field of a measurement since `from`, grouped by tags. */
  latest(
    project: ProjectId,
    measurement: string,
    from: Instant,
  ): Promise<
    { tags: Readonly<Record<string, string>>; at: Instant; fields: Record<string, number> }[]
  >;
}
