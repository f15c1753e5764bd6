import type { Clock } from '../../shared/runtime/clock.ts';
import type { StoreOutcome } from '../../shared/stores/open-stores.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';

export interface StoreHealthOptions {
  /** Looks at each store once. */
  readonly check: () => Promise<readonly StoreOutcome[]>;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks at the stores now and then, for `/readyz`; says once of each when it goes and comes. */
export class StoreHealth implements AsyncDisposable {
  readonly #options: StoreHealthOptions;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #away: ReadonlyMap<string, string> = new Map();

  constructor(options: StoreHealthOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** Why it isn't ready; empty when every store could be used at the last look. */
  get reasons(): string[] {
    return [...this.#away].map(([store, message]) => `${store}: ${message}`);
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, logger } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await clock.sleep(intervalMs, signal);
      if (signal.aborted) return;
      try {
        this.#tell(await this.#options.check());
      } catch (error) {
        logger.error({ err: error }, 'the stores could not be looked at');
      }
    }
  }

  #tell(outcomes: readonly StoreOutcome[]): void {
    const { logger } = this.#options;
    const away = new Map<string, string>();
    for (const { store, error } of outcomes) {
      if (error !== undefined) away.set(store, error.message);
      if (error !== undefined && !this.#away.has(store)) {
        logger.warn({ store, error: error.message }, 'a store cannot be used for now');
      }
      if (error === undefined && this.#away.has(store)) {
        logger.info({ store }, 'a store can be used again');
      }
    }
    this.#away = away;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }
}
