import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { LogLimits } from '../../shared/stores/sql/log-limits.ts';
import { openLogReader } from '../../shared/stores/sql/log-reader.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { AT, type LogStoreBench } from '../contracts/log-store-suite.ts';

/** Days pass at once; whoever sleeps wakes once at the end of them. */
class Calendar implements Clock {
  #now = AT;
  #sleepers: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now - AT;
  }

  sleep(_ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      this.#sleepers.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async advance(ms: number): Promise<void> {
    this.#now += ms;
    for (const wake of this.#sleepers.splice(0)) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A log store in a folder of its own. */
export interface LogBench extends LogStoreBench {
  readonly folder: string;
  readonly clock: Calendar;
  reopen(): Promise<LogStoreBench['writer']>;
  files(): string[];
}

export async function openLogBench(limits: Partial<LogLimits> = {}): Promise<LogBench> {
  const folder = await mkdtemp(join(tmpdir(), 'log-store-'));
  const clock = new Calendar();
  const all = { commitIntervalMs: 0, diskReserveBytes: 0, ...limits };
  let writer = await openLogWriter({ folder, clock, limits: all });
  const reader = await openLogReader({ folder });
  return {
    folder,
    clock,
    writer,
    reader,
    async reopen() {
      await writer[Symbol.asyncDispose]();
      writer = await openLogWriter({ folder, clock, limits: all });
      return writer;
    },
    files: () => readdirSync(folder).filter((name) => name.endsWith('.db')),
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
