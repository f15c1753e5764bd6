import { systemClock } from '../../../shared/runtime/clock.ts';
import type { PostgresConfig } from '../../../shared/stores/sql/config.ts';
import type { Ledger } from '../../../shared/stores/sql/open-ledger.ts';
import { openPostgresLedger } from '../../../shared/stores/sql/open-postgres-ledger.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { applicationFact, containerFact } from '../../support/fact-builders.ts';
import { journalBatch } from '../../support/journal-batch.ts';

const TURNS_A_SECOND = 10;
const BATCH = 500;
/** Whole hours lie behind each container, so that it is charged at once, and again at its end. */
const AGE_MS = 90 * 60_000;

interface ChargingOptions {
  /** Containers that run at a time. */
  readonly running: number;
  /** Containers that start and containers that stop, a second. */
  readonly turnover: number;
  /** Projects `p0`, `p1`… with an application each. */
  readonly projects: number;
}

/** Containers that run, start and stop, told to the journal until disposed; a meter charges them. */
export class ChargingLoad implements AsyncDisposable {
  readonly #ledger: Ledger;
  readonly #options: ChargingOptions;
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #started = 0;
  #stopped = 0;

  private constructor(ledger: Ledger, options: ChargingOptions) {
    this.#ledger = ledger;
    this.#options = options;
  }

  static async start(config: PostgresConfig, options: ChargingOptions): Promise<ChargingLoad> {
    const deps = { clock: systemClock, random: Math.random };
    const load = new ChargingLoad(await openPostgresLedger(config, deps), options);
    await load.#tellApplications();
    for (let left = options.running; left > 0; left -= BATCH) {
      await load.#tell(Math.min(BATCH, left), 0);
    }
    load.#loop = load.#run();
    return load;
  }

  async #tellApplications(): Promise<void> {
    const now = systemClock.now();
    const facts = Array.from({ length: this.#options.projects }, (_, n) =>
      applicationFact('application-seen', now - AGE_MS, {
        application: `app-${n}`,
        project: `p${n}` as ProjectId,
      }),
    );
    await this.#ledger.journalWriter.record(journalBatch({ facts }), now);
  }

  async #tell(starts: number, stops: number): Promise<void> {
    const now = systemClock.now();
    const { projects } = this.#options;
    const ref = (n: number) => ({ container: `c${n}`, application: `app-${n % projects}` });
    const facts = [
      ...Array.from({ length: starts }, (_, i) =>
        containerFact('container-started', now - AGE_MS, ref(this.#started + i)),
      ),
      ...Array.from({ length: stops }, (_, i) =>
        containerFact('container-stopped', now, ref(this.#stopped + i)),
      ),
    ];
    this.#started += starts;
    this.#stopped += stops;
    await this.#ledger.journalWriter.record(journalBatch({ facts }), now);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const count = Math.ceil(this.#options.turnover / TURNS_A_SECOND);
    while (!signal.aborted) {
      await this.#tell(count, count);
      await systemClock.sleep(1_000 / TURNS_A_SECOND, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#ledger[Symbol.asyncDispose]();
  }
}
