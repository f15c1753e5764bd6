import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { HeldLease } from '../../../shared/stores/held-lease.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { GrantKeeper } from './grant-keeper.ts';
import type { PriceSetter } from './price-setter.ts';
import type { Settled, Settler } from './settler.ts';

/** The shards to settle, with what to write under; asked before each settlement. */
export interface MeterShards {
  fences(): Promise<ReadonlyMap<number, Fence | undefined>>;
  /** Another has it, as a refused write told. */
  lost(shard: number): void;
}

/** A pool whose price this meter announces while it has the lease, or always without one. */
export interface MeterPrice {
  readonly setter: PriceSetter;
  readonly lease: HeldLease | undefined;
}

/** Settlements of a shard that others were in the way of, before the run is called a failure. */
const CONFLICTS_MAX = 3;
const POOLS_AT_ONCE = 8;

const codeOf = (error: unknown): string | undefined =>
  error instanceof AppError ? error.code : undefined;

/**
 * One run: the prices first, so that what is settled knows them, then settlements until none is due,
 * and last the grants, which what was settled may have used.
 */
export class Meter {
  readonly #settler: Settler;
  readonly #prices: readonly MeterPrice[];
  readonly #shards: MeterShards;
  readonly #grants: Pick<GrantKeeper, 'run'>;
  readonly #clock: Clock;
  readonly #count: (settled: Settled) => void;
  readonly #failed: (labels: Readonly<Record<string, string>>) => void;
  readonly #taken: (labels: Readonly<Record<string, string>>) => void;
  readonly #price: (labels: Readonly<Record<string, string>>, value: number) => void;
  readonly #held: (labels: Readonly<Record<string, string>>, value: number) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(deps: {
    readonly settler: Settler;
    readonly prices: readonly MeterPrice[];
    readonly shards: MeterShards;
    readonly grants: Pick<GrantKeeper, 'run'>;
    readonly clock: Clock;
    readonly metrics: Metrics;
  }) {
    const { metrics } = deps;
    this.#settler = deps.settler;
    this.#prices = deps.prices;
    this.#shards = deps.shards;
    this.#grants = deps.grants;
    this.#clock = deps.clock;
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
    this.#held = metrics.gauge(
      'tollgate_metering_shards',
      'Shards of the ledger that this meter settles now',
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
      for (const [index, price] of this.#prices.entries()) {
        // As between settlements: many pools think at the same minute.
        if (index % POOLS_AT_ONCE === POOLS_AT_ONCE - 1) await setImmediate();
        await this.#announce(price);
      }
      await this.#settle(signal);
      await this.#grants.run(signal);
    } catch (error) {
      this.#failed({});
      throw error;
    } finally {
      resolve();
    }
  }

  async #announce({ setter, lease }: MeterPrice): Promise<void> {
    const fence = await lease?.fence();
    if (lease !== undefined && fence === undefined) return;
    try {
      const epoch = await setter.evaluate(this.#clock.now(), fence);
      if (epoch !== undefined) this.#price({ pool: epoch.pool }, epoch.step / 1_000);
    } catch (error) {
      if (codeOf(error) !== 'FENCED') throw error;
      lease?.lost();
      this.#taken({});
    }
  }

  /** In turn, one settlement each; a shard that fails doesn't keep the others from theirs. */
  async #settle(signal: AbortSignal | undefined): Promise<void> {
    const done = new Set<number>();
    const conflicts = new Map<number, number>();
    const failures: unknown[] = [];
    for (let last = -1; ; ) {
      const held = await this.#shards.fences();
      this.#held({}, held.size);
      const shard = nextShard(held.keys(), done, last);
      if (shard === undefined) break;
      // SQLite answers without leaving the thread: let what else it serves have a turn.
      if (last >= 0) await setImmediate();
      last = shard;
      try {
        const settled = await this.#settler.settle(this.#clock.now(), shard, held.get(shard));
        this.#count(settled);
        if (settled.caughtUp) done.add(shard);
        // Containers that name these applications may be other shards'.
        if (settled.settlement.restate.length > 0) done.clear();
      } catch (error) {
        const tries = (conflicts.get(shard) ?? 0) + 1;
        conflicts.set(shard, tries);
        if (codeOf(error) === 'CONFLICT' && tries < CONFLICTS_MAX) continue;
        done.add(shard);
        if (codeOf(error) === 'FENCED') this.#fenced(shard);
        else failures.push(error);
        if (codeOf(error) === 'STORE_UNAVAILABLE') break;
      }
      if (signal?.aborted) break;
    }
    if (failures.length > 0) throw failures[0];
  }

  #fenced(shard: number): void {
    this.#shards.lost(shard);
    this.#taken({});
  }
}

/** The next one that isn't done, round and round. */
function nextShard(
  held: Iterable<number>,
  done: ReadonlySet<number>,
  last: number,
): number | undefined {
  const open = [...held].filter((shard) => !done.has(shard)).sort((a, b) => a - b);
  return open.find((shard) => shard > last) ?? open[0];
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
