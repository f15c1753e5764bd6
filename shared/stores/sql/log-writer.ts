import { mkdirSync, statfsSync } from 'node:fs';
import type { LogRecord } from '../../contracts/log-record.ts';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { MINUTE_MS, SECOND_MS } from '../../values/instant.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { LogBatch, LogWriteResult, LogWriter } from '../log-store.ts';
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

interface PendingWrite {
  readonly batch: LogBatch;
  resolve(result: LogWriteResult): void;
  reject(error: unknown): void;
}

/** LogWriter on SQLite files, with its group commit, retention and tidying. */
export class SqliteLogWriter implements LogWriter {
  readonly #clock: Clock;
  readonly #limits: LogLimits;
  readonly #logger: Logger | undefined;
  readonly #folder: LogFolder;
  readonly #folderPath: string;
  readonly #closing = new AbortController();
  readonly #housekeeping: Promise<void>;
  #pending: PendingWrite[] = [];
  #pendingRecords = 0;
  #wake = new AbortController();
  #flushing: Promise<void> | undefined;
  #lastCommit = Number.NEGATIVE_INFINITY;
  #diskChecked = Number.NEGATIVE_INFINITY;

  constructor(options: LogWriterOptions) {
    this.#clock = options.clock;
    this.#limits = { ...LOG_LIMITS, ...options.limits };
    this.#logger = options.logger;
    this.#folderPath = options.folder;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.#folder = new LogFolder(options.folder, options.clock, this.#limits);
    this.#housekeeping = this.#keepHouse(this.#closing.signal);
  }

  write(batch: LogBatch): Promise<LogWriteResult> {
    if (this.#closing.signal.aborted) {
      return Promise.reject(new AppError('STORE_UNAVAILABLE', 'the log store is closed'));
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ batch, resolve, reject });
      this.#pendingRecords += batch.records.length;
      if (this.#pendingRecords >= this.#limits.commitRecords) this.#wake.abort();
      this.#flushing ??= this.#flush();
    });
  }

  checkpoints(prefix: string): Promise<Checkpoint[]> {
    return Promise.resolve(this.#folder.current().checkpoints(prefix));
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0) {
      // Writes of the same turn share a commit, and a source with a backlog leaves turns to others.
      await new Promise((resolve) => setImmediate(resolve));
      const waitMs = this.#lastCommit + this.#limits.commitIntervalMs - this.#clock.elapsed();
      if (waitMs > 0) await this.#clock.sleep(waitMs, this.#wake.signal);
      if (!this.#closing.signal.aborted) this.#wake = new AbortController();
      this.#lastCommit = this.#clock.elapsed();
      this.#pendingRecords = 0;
      this.#commit(this.#pending.splice(0));
    }
    // In the same turn as the last look, so that no write falls between.
    this.#flushing = undefined;
  }

  #commit(group: readonly PendingWrite[]): void {
    let results: LogWriteResult[];
    try {
      this.#checkDisk();
      const file = this.#folder.current();
      results = file.transaction(() => group.map(({ batch }) => this.#put(file, batch)));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const [i, { resolve }] of group.entries()) {
      resolve(results[i] ?? { stored: 0, duplicates: 0 });
    }
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

  #checkDisk(): void {
    const now = this.#clock.elapsed();
    if (now - this.#diskChecked < SECOND_MS) return;
    const { bavail, bsize } = statfsSync(this.#folderPath);
    const free = bavail * bsize;
    if (free < this.#limits.diskReserveBytes) {
      throw new AppError(
        'DISK_FULL',
        `logs wait: ${free} bytes are free on the disk of the data folder, ` +
          `${this.#limits.diskReserveBytes} are kept in reserve; free some, or lower the limits`,
      );
    }
    this.#diskChecked = now;
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
    this.#wake.abort();
    await this.#flushing;
    await this.#housekeeping;
    this.#folder[Symbol.dispose]();
  }
}

/** Opens the log files of a folder for writing. */
export function openLogWriter(options: LogWriterOptions): Promise<SqliteLogWriter> {
  return Promise.resolve(new SqliteLogWriter(options));
}
