import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { QueuedBatch } from '../../services/collectors/core/queue.ts';
import { logsConfig } from '../../services/collectors/logs/config.ts';
import { type LogsCollector, startLogs } from '../../services/collectors/logs/start.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { LogWriter } from '../../shared/stores/log-store.ts';
import { openLogReader } from '../../shared/stores/sql/log-reader.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { type Logger, silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { MapQuarantine } from './map-quarantine.ts';

const PROJECT = 'etl' as ProjectId;

/** A line of a log as JSON; `n` is in its message. */
export const logLine = (n: number): string =>
  JSON.stringify({ ts: '2026-11-21T08:00:00Z', level: 'INFO', msg: `number ${n}`, project: 'etl' });

/** Log collectors that read Kafka into one SQLite store in a folder of its own. */
export class KafkaLogs implements AsyncDisposable {
  readonly folder: string;
  readonly writer: LogWriter;
  readonly quarantine = new MapQuarantine();
  readonly groupId = `g-${randomUUID()}`;
  metrics = new Metrics();
  readonly #running: LogsCollector[] = [];
  readonly #children: ChildProcess[] = [];
  /** Awaited before each write: a store that is slow. */
  before: () => Promise<void> = async () => {};

  private constructor(folder: string, writer: LogWriter) {
    this.folder = folder;
    this.writer = writer;
  }

  static async open(): Promise<KafkaLogs> {
    const folder = await mkdtemp(join(tmpdir(), 'kafka-logs-'));
    const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
    const writer = await openLogWriter({ folder, clock: systemClock, limits });
    return new KafkaLogs(folder, writer);
  }

  #config(kafka: object) {
    return { groupId: this.groupId, lagIntervalMs: 1_000, ...kafka };
  }

  async start(kafka: object, logger: Logger = silentLogger): Promise<LogsCollector> {
    const { writer } = this;
    const slow: LogWriter = {
      write: async (batch) => {
        await this.before();
        return await writer.write(batch);
      },
      checkpoints: (prefix) => writer.checkpoints(prefix),
      [Symbol.asyncDispose]: async () => {},
    };
    const logs = await startLogs({
      config: logsConfig.parse({ kafka: this.#config(kafka) }),
      writer: slow,
      quarantine: this.quarantine,
      clock: systemClock,
      random: Math.random,
      logger,
      metrics: this.metrics,
      spoolFolder: join(this.folder, 'spool'),
    });
    this.#running.push(logs);
    return logs;
  }

  /** A second collector in its own process, which stores through `store`. */
  startChild(kafka: object, store: LogsCollector): ChildProcess {
    const child = fork(join(import.meta.dirname, 'kafka-input-child.ts'), [
      JSON.stringify(this.#config(kafka)),
    ]);
    const signal = new AbortController().signal;
    child.on('message', ({ number, batch }: { number: number; batch: QueuedBatch }) => {
      void store.take(batch, signal).then(() => {
        // The answer to a child that was killed meanwhile reaches nobody.
        child.send(number, () => undefined);
      });
    });
    this.#children.push(child);
    return child;
  }

  /** Messages that are stored, each as often as it is there. */
  async stored(): Promise<string[]> {
    await using reader = await openLogReader({ folder: this.folder });
    const found: string[] = [];
    const query = { from: 0, until: Date.UTC(2030, 0, 1), limit: 1_000 };
    for (let cursor: string | undefined; ; ) {
      const after = cursor === undefined ? {} : { cursor };
      const page = await reader.search(PROJECT, { ...query, ...after });
      found.push(...page.records.map(({ message }) => message));
      cursor = page.cursor;
      if (cursor === undefined) return found;
    }
  }

  kept(): number {
    return this.#sum('tollgate_records_total', 'fate="kept"');
  }

  gauge(name: string): number {
    return this.#sum(name, '');
  }

  #sum(name: string, label: string): number {
    let sum = 0;
    for (const [labels, value] of this.metrics.values(name)) {
      if (labels.includes(label)) sum += value;
    }
    return sum;
  }

  async stop(logs: LogsCollector): Promise<void> {
    this.#running.splice(this.#running.indexOf(logs), 1);
    await logs[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(this.#running.map((logs) => logs[Symbol.asyncDispose]()));
    await this.writer[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Milliseconds until the condition held; fails after `withinMs`. */
export async function until(
  what: string,
  withinMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<number> {
  const from = performance.now();
  while (!(await condition())) {
    if (performance.now() - from > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await wait(50);
  }
  return Math.round(performance.now() - from);
}
