import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** In rising order of severity; the index is what stores keep. `UNKNOWN` is a line without a level. */
export const LOG_LEVELS = ['UNKNOWN', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One log event, multi-line message included, as it is stored: masked, cleaned, cut to size. */
export interface LogRecord {
  /** The event's own time, or when it was read where it has none. */
  readonly at: Instant;
  readonly project: ProjectId;
  readonly cluster: string;
  /** Spark application id, or '' when the source doesn't tell. */
  readonly application: string;
  /** Container or executor id (`container_…`, `driver`, `3`), or ''. */
  readonly container: string;
  readonly level: LogLevel;
  readonly logger: string;
  readonly thread: string;
  readonly message: string;
  /** Hash of the message's template, 16 hex digits: equal for repeats that differ in numbers, ids, paths. */
  readonly fingerprint: string;
  /** What was done to it: `cut`, `masked`, `cleaned`, `time-observed` (had no time), `time-implausible`. */
  readonly marks: readonly string[];
  /** Identity given by the sender; a second record with the same one is already there. */
  readonly id?: string;
}
