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
  /**
   * Where it was read: the source's checkpoint key and the position of its first byte or message,
   * such as `file:…#4096` or `kafka:logs/3#17`. The same line read again has the same origin. A
   * store that can't keep a checkpoint in one transaction with its records tells repeats by it;
   * absent where the sender can't repeat itself either.
   */
  readonly origin?: string;
}
