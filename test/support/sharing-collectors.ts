import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logsConfig } from '../../services/collectors/logs/config.ts';
import { type LogsCollector, startLogs } from '../../services/collectors/logs/start.ts';
import type { LogRecord } from '../../shared/contracts/log-record.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { CheckpointStore } from '../../shared/stores/checkpoint.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import type { LogBatch, LogWriteResult, LogWriter } from '../../shared/stores/log-store.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { FakeClock } from './fake-clock.ts';
import { fencedCheckpoints } from './fenced-checkpoints.ts';
import { MapQuarantine } from './map-quarantine.ts';

export const LEASE_MS = 3_000;
const STEP_MS = 50;

/** A log collector that can be stopped in its tracks, as SIGSTOP and SIGKILL do. */
export class Sharer {
  readonly metrics = new Metrics();
  #collector: LogsCollector | undefined;
  #paused: PromiseWithResolvers<void> | undefined;

  static async start(open: (sharer: Sharer) => Promise<LogsCollector>): Promise<Sharer> {
    const sharer = new Sharer();
    sharer.#collector = await open(sharer);
    return sharer;
  }

  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  /** What it was about to do, it does when it is resumed, or never. */
  pause(): void {
    this.#paused ??= Promise.withResolvers();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  async stop(): Promise<void> {
    await this.#collector?.[Symbol.asyncDispose]();
  }

  async awake(): Promise<void> {
    while (this.#paused !== undefined) await this.#paused.promise;
  }

  /** The same, doing nothing while this one is paused. */
  within<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (one, name) => {
        const value: unknown = Reflect.get(one, name, one);
        if (typeof value !== 'function') return value;
        const method = value.bind(one) as (...args: unknown[]) => unknown;
        if (['now', 'elapsed'].includes(String(name))) return method;
        return async (...args: unknown[]) => {
          await this.awake();
          const result = await method(...args);
          await this.awake();
          return result;
        };
      },
    });
  }
}

/** Collectors that see one folder, and the stores that they share. */
export class SharingCollectors implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'tollgate-shared-'));
  readonly clock = new FakeClock();
  readonly checkpoints: CheckpointStore;
  readonly leases: LeaseStore;
  /** By origin: what comes again is a duplicate. */
  readonly records = new Map<string, LogRecord>();
  readonly all: Sharer[] = [];
  duplicates = 0;

  constructor() {
    const { checkpoints, leases } = fencedCheckpoints(this.clock);
    this.checkpoints = checkpoints;
    this.leases = leases;
  }

  /** What was stored, sorted. */
  get messages(): string[] {
    return [...this.records.values()].map(({ message }) => message).sort();
  }

  /** @param hasLeases whether its stores could be shared */
  async start(files: object = {}, hasLeases = true): Promise<Sharer> {
    const sharer = await Sharer.start((one) => this.#open(one, files, hasLeases));
    this.all.push(sharer);
    return sharer;
  }

  /** Lets time go by, in small steps, with their work. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      await this.clock.advance(STEP_MS);
      for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = this.all.map((sharer) => {
      sharer.resume();
      return sharer.stop();
    });
    let over = false;
    void Promise.all(stopped).then(() => {
      over = true;
    });
    while (!over) await this.pass(STEP_MS);
    rmSync(this.folder, { recursive: true });
  }

  #open(sharer: Sharer, files: object, hasLeases: boolean): Promise<LogsCollector> {
    const source = { paths: [`${this.folder}/**/*.log`], project: 'etl', shared: true, ...files };
    const clock: Clock = sharer.within(this.clock);
    return startLogs({
      config: logsConfig.parse({
        files: [source],
        ...{ quietMs: 200, pollIntervalMs: STEP_MS, scanIntervalMs: 100, sharedLeaseMs: LEASE_MS },
      }),
      writer: this.#writer(sharer),
      quarantine: new MapQuarantine(),
      ...(hasLeases && {
        leases: { store: sharer.within(this.leases), holder: `collector-${this.all.length}` },
      }),
      clock,
      random: () => 0.5,
      logger: silentLogger,
      metrics: sharer.metrics,
      spoolFolder: join(this.folder, 'spool'),
    });
  }

  /** As Elasticsearch does it: records between two looks at the fences. */
  #writer(sharer: Sharer): LogWriter {
    const saved = sharer.within(this.checkpoints);
    const write = async (batch: LogBatch): Promise<LogWriteResult> => {
      await saved.save(batch.begins ?? [], batch.fences);
      let stored = 0;
      for (const record of batch.records) {
        const origin = record.origin ?? '';
        if (!this.records.has(origin)) stored += 1;
        else this.duplicates += 1;
        if (!this.records.has(origin)) this.records.set(origin, record);
      }
      await saved.save(batch.checkpoints, batch.fences);
      return { stored, duplicates: batch.records.length - stored };
    };
    return {
      write,
      checkpoints: (prefix) => saved.checkpoints(prefix),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
}
