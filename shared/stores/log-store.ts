import type { LogLevel, LogRecord } from '../contracts/log-record.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Checkpoint, CheckpointReader } from './checkpoint.ts';
import type { Fence } from './lease.ts';

export interface LogBatch {
  readonly records: readonly LogRecord[];
  readonly checkpoints: readonly Checkpoint[];
  /**
   * Sources that begin with this batch, at the position where they begin. A store that keeps
   * checkpoints apart from records saves these first: a file is known by its first bytes, and after
   * a crash a longer file must be found to be the one whose lines are stored already.
   */
  readonly begins?: readonly Checkpoint[];
  /**
   * Leases under which the sources are read; where several processes divide them. Checked before the
   * records are stored, and with the checkpoints; only a store that keeps those apart knows leases.
   */
  readonly fences?: readonly Fence[];
}

/** Records whose `id` was stored before are `duplicates`; they are a success. */
export interface LogWriteResult {
  readonly stored: number;
  readonly duplicates: number;
}

/** A record that a store will never take, for the quarantine. */
export interface RefusedLog {
  readonly record: LogRecord;
  /** As the store said it. */
  readonly why: string;
}

export interface LogWriter extends AsyncDisposable, CheckpointReader {
  /**
   * All or nothing, with its checkpoints, durable (fsync) when it resolves.
   *
   * @throws AppError FENCED when another process has taken over one of the sources; records that
   *   were stored all the same have the identities that the other one gives them
   */
  write(batch: LogBatch): Promise<LogWriteResult>;
}

export interface LogQuery {
  readonly from: Instant;
  readonly until: Instant;
  /** Words that must all occur, case ignored; `"…"` is a phrase; `word*` a prefix. Dots and other signs separate words. */
  readonly text?: string;
  readonly minLevel?: LogLevel;
  readonly application?: string;
  readonly container?: string;
  readonly fingerprint?: string;
  readonly limit: number;
  /** From the page before. */
  readonly cursor?: string;
}

export interface StoredLog extends LogRecord {
  /** Opaque, unique; links to this very line. */
  readonly key: string;
}

export interface LogPage {
  /** Newest first. */
  readonly records: StoredLog[];
  /** Present when there is more. */
  readonly cursor?: string;
}

/** Lines of one application of a cluster; '' for lines that name none. */
export interface ApplicationLines {
  readonly cluster: string;
  readonly application: string;
  readonly count: number;
  readonly newest: StoredLog;
}

export interface LogReader extends AsyncDisposable {
  search(project: ProjectId, query: LogQuery): Promise<LogPage>;
  /** Repeats grouped by fingerprint, most frequent first, with one example each. */
  fingerprints(
    project: ProjectId,
    query: LogQuery,
  ): Promise<{ fingerprint: string; count: number; example: StoredLog }[]>;
  /**
   * Lines by application, most first.
   *
   * @returns `complete` is false where there are more applications than `query.limit`, or more lines
   *   than the store counts at once: then counts are too low and applications may be missing
   */
  countByApplication(
    project: ProjectId,
    query: Omit<LogQuery, 'cursor'>,
  ): Promise<{ readonly applications: ApplicationLines[]; readonly complete: boolean }>;
  /** Lines stored of each project since `from`, for meters of volume. */
  volume(project: ProjectId, from: Instant): Promise<{ records: number; bytes: number }>;
}
