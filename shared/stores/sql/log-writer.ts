import { mkdirSync } from 'node:fs';
import type { LogRecord } from '../../contracts/log-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { MINUTE_MS, SECOND_MS } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { LogBatch, LogWriteResult, LogWriter } from '../log-store.ts';
import { DiskReserve } from './disk-reserve.ts';
import { GroupCommit } from './group-commit.ts';
import type { LogFile } from './log-file.ts';
import { LogFolder } from './log-folder.ts';
import { LOG_LIMITS, type LogLimits } from './log-limits.ts';

export interface LogWriterOptions {
  /** Made when it isn't there. One writer at a time. */
  readonly folder: string;
  readonly clock: Clock;
  readonly limits?: Partial<LogLimits>;
  /** Hears of housekeeping that failed and is tried again. */
  readonly logger?: Logger;
}

/** LogWriter on SQLite files, with its group commit, retention and tidying. */
export class SqliteLogWriter implements LogWriter {
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #folder: LogFolder;
  readonly #disk: DiskReserve;
  readonly #commits: GroupCommit<LogBatch, LogWriteResult>;
  readonly #closing = new AbortController();
  readonly #housekeeping: Promise<void>;

  constructor(options: LogWriterOptions) {
    const { folder, clock } = options;
    const limits = { ...LOG_LIMITS, ...options.limits };
    this.#clock = clock;
    this.#logger = options.logger;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = new LogFolder(folder, clock, limits);
    this.#disk = new DiskReserve({
      folder,
      reserveBytes: limits.diskReserveBytes,
      waits: 'logs',
      clock,
    });
    this.#commits = new GroupCommit({
      clock,
      name: 'log store',
      intervalMs: limits.commitIntervalMs,
      fullSize: limits.commitRecords,
      commit: (batches) => this.#commit(batches),
    });
    this.#housekeeping = this.#keepHouse(this.#closing.signal);
  }

  write(batch: LogBatch): Promise<LogWriteResult> {
    return this.#commits.add(batch, batch.records.length);
  }

  checkpoints(prefix: string): Promise<Checkpoint[]> {
    return Promise.resolve(this.#folder.current().checkpoints(prefix));
  }

  #commit(batches: readonly LogBatch[]): LogWriteResult[] {
    this.#disk.check();
    const file = this.#folder.current();
    return file.transaction(() => batches.map((batch) => this.#put(file, batch)));
  }

  #put(file: LogFile, { records, checkpoints }: LogBatch): LogWriteResult {
    const fresh = records.filter((record) => this.#isFresh(file, record));
    file.insert(fresh, this.#clock.now());
    file.putCheckpoints(checkpoints);
    return { stored: fresh.length, duplicates: records.length - fresh.length };
  }

  #isFresh(file: LogFile, { project, id }: LogRecord): boolean {
    if (id === undefined) return true;
    return !this.#folder.hasId(project, id) && file.addId(project, id);
  }

  async #keepHouse(signal: AbortSignal): Promise<void> {
    let retainedAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      try {
        if (this.#clock.elapsed() - retainedAt >= MINUTE_MS) {
          retainedAt = this.#clock.elapsed();
          this.#folder.retain();
        }
        this.#folder.tidy();
      } catch (error) {
        this.#logger?.warn({ err: error }, 'log housekeeping failed, it is tried again');
      }
      await this.#clock.sleep(SECOND_MS, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#commits[Symbol.asyncDispose]();
    await this.#housekeeping;
    this.#folder[Symbol.dispose]();
  }
}

/** Opens the log files of a folder for writing. */
export function openLogWriter(options: LogWriterOptions): Promise<SqliteLogWriter> {
  return Promise.resolve(new SqliteLogWriter(options));
}
