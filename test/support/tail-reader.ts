import type { FileEvent } from '../../services/collectors/inputs/file-event.ts';
import { type TailOptions, tail } from '../../services/collectors/inputs/file-input.ts';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import type { Checkpoint } from '../../shared/stores/checkpoint.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';

/** Sleeps take no time, but count. */
function fastClock(): Clock {
  let elapsed = 0;
  return {
    now: () => systemClock.now(),
    elapsed: () => elapsed,
    sleep: async (ms) => {
      elapsed += ms;
    },
  };
}

/** Reads like a collector that stores everything at once; keyed by path below `folder`. */
export class TailReader {
  readonly folder: string;
  readonly stored = new Map<string, Checkpoint>();
  readonly text = new Map<string, string>();
  readonly ends: string[] = [];
  readonly order: string[] = [];
  readonly forgotten: string[] = [];
  readonly metrics = new Metrics();
  #events: AsyncGenerator<FileEvent>;
  #stop = new AbortController();
  #options: Partial<TailOptions>;

  constructor(folder: string, pattern: string, options: Partial<TailOptions> = {}) {
    this.folder = folder;
    this.#options = { patterns: [`${folder}/${pattern}`], settleMs: 0, ...options };
    this.#events = this.#begin();
  }

  #begin(): AsyncGenerator<FileEvent> {
    return tail({
      patterns: [],
      prefix: 'file:t:',
      checkpoints: [...this.stored.values()],
      clock: fastClock(),
      signal: this.#stop.signal,
      logger: silentLogger,
      metrics: this.metrics,
      ...this.#options,
    });
  }

  /** As after a kill: only what was stored is known. */
  async restart(): Promise<void> {
    await this.#events.return(undefined);
    this.#events = this.#begin();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#events.return(undefined);
  }

  take(event: FileEvent): void {
    if (event.kind === 'forgotten') this.forgotten.push(event.checkpoint.source);
    if (event.kind === 'data') {
      const { file } = event;
      const path = file.stream.slice(this.folder.length + 1);
      this.text.set(path, (this.text.get(path) ?? '') + event.bytes.toString());
      this.order.push(file.source);
      this.stored.set(file.source, file.checkpoint(event.end));
    }
    if (event.kind === 'end') {
      this.ends.push(event.reason);
      this.stored.set(event.file.source, event.file.checkpoint(event.end));
    }
  }

  /** Reads until nothing has come for a while. */
  async settle(): Promise<this> {
    for (let ticks = 0; ticks < 60; ) {
      const { value, done } = await this.#events.next();
      if (done === true) break;
      if (value.kind === 'tick') ticks += 1;
      else ticks = 0;
      this.take(value);
    }
    return this;
  }

  /** Reads up to the next tick. */
  async tick(): Promise<void> {
    for (;;) {
      const { value } = await this.#events.next();
      if (value.kind === 'tick') return;
      this.take(value);
    }
  }

  async one(): Promise<void> {
    for (;;) {
      const { value } = await this.#events.next();
      this.take(value);
      if (value.kind === 'data') return;
    }
  }
}
