import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { HeldLease } from '../../../shared/stores/held-lease.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { PriceSetter } from './price-setter.ts';
import type { Settled, Settler } from './settler.ts';

/** One run: the prices first, so that what is settled knows them, then settlements until none is due. */
export class Meter {
  readonly #settler: Settler;
  readonly #prices: readonly PriceSetter[];
  readonly #clock: Clock;
  readonly #lease: HeldLease | undefined;
  readonly #count: (settled: Settled) => void;
  readonly #failed: (labels: Readonly<Record<string, string>>) => void;
  readonly #taken: (labels: Readonly<Record<string, string>>) => void;
  readonly #price: (labels: Readonly<Record<string, string>>, value: number) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(deps: {
    readonly settler: Settler;
    readonly prices: readonly PriceSetter[];
    readonly clock: Clock;
    readonly metrics: Metrics;
    /** Without it, it is the only meter there is. */
    readonly lease?: HeldLease | undefined;
  }) {
    const { metrics } = deps;
    this.#settler = deps.settler;
    this.#prices = deps.prices;
    this.#clock = deps.clock;
    this.#lease = deps.lease;
    this.#failed = metrics.counter(
      'tollgate_metering_failures_total',
      'Runs of the meter that ended in an error and are repeated',
    );
    this.#taken = metrics.counter(
      'tollgate_metering_fenced_total',
      'Writes refused because another meter had taken over',
    );
    this.#price = metrics.gauge(
      'tollgate_price_multiplier',
      'Multiplier of the last price announced, by pool',
    );
    this.#count = countSettlements(metrics);
  }

  /** One at a time: a second call waits for the first, then runs. */
  async run(signal?: AbortSignal): Promise<void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      await this.#run(signal);
    } catch (error) {
      if (error instanceof AppError && error.code === 'FENCED') {
        this.#lease?.lost();
        this.#taken({});
        return;
      }
      this.#failed({});
      throw error;
    } finally {
      resolve();
    }
  }

  async #run(signal: AbortSignal | undefined): Promise<void> {
    const lease = this.#lease;
    for (const setter of this.#prices) {
      const fence = await lease?.fence();
      if (lease !== undefined && fence === undefined) return;
      const epoch = await setter.evaluate(this.#clock.now(), fence);
      if (epoch !== undefined) this.#price({ pool: epoch.pool }, epoch.step / 1_000);
    }
    for (;;) {
      const fence = await lease?.fence();
      if (lease !== undefined && fence === undefined) return;
      const settled = await this.#settler.settle(this.#clock.now(), fence);
      this.#count(settled);
      if (settled.caughtUp || signal?.aborted) return;
      // SQLite answers without leaving the thread: let what else it serves have a turn.
      await setImmediate();
    }
  }
}

function countSettlements(metrics: Metrics): (settled: Settled) => void {
  const facts = metrics.counter('tollgate_metering_facts_total', 'Facts settled');
  const charges = metrics.counter(
    'tollgate_metering_charges_total',
    'Rows written to the ledger, by type',
  );
  const anomalies = metrics.counter(
    'tollgate_metering_anomalies_total',
    'Facts journaled and not charged, by reason',
  );
  return ({ settlement, facts: settledFacts, anomalies: found }) => {
    facts({}, settledFacts);
    for (const { type } of settlement.charges) charges({ type });
    for (const reason of found) anomalies({ reason });
  };
}
