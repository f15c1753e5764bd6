import type { Instant } from '../values/instant.ts';

/** Where a refused record came from, so that it can be sent through the same parser again. */
export interface QuarantinedRecord {
  /** From the origin (source and position), so that storing it twice is a no-op. */
  readonly id: string;
  readonly collector: 'logs' | 'progress' | 'metrics' | 'containers';
  readonly source: string;
  readonly reason: string;
  readonly project: string;
  readonly observedAt: Instant;
  /** The record as it came, cut to 64 KiB, control characters kept. */
  readonly raw: string;
}

export interface QuarantineFilter {
  readonly collector?: string;
  readonly reason?: string;
  readonly project?: string;
  readonly limit: number;
}

/** How many records wait for one reason. */
export interface QuarantineCount {
  readonly collector: string;
  readonly reason: string;
  readonly records: number;
}

/** Where refused records wait. Bounded: the oldest go when it is full, and that is counted. */
export interface Quarantine extends AsyncDisposable {
  /** Durable when it resolves, which is before the checkpoint behind it moves. */
  put(records: readonly QuarantinedRecord[]): Promise<void>;
  list(filter: QuarantineFilter): Promise<QuarantinedRecord[]>;
  /** By collector and reason: all records, or one project's, or those observed at or after `since`. */
  count(filter?: {
    readonly project?: string;
    readonly since?: Instant;
  }): Promise<QuarantineCount[]>;
  /** Removes a record that a replay has stored. */
  remove(ids: readonly string[]): Promise<number>;
}
