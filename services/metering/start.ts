import { AppError } from '../../shared/errors/app-error.ts';
import { levelsOf } from '../../shared/grants/hierarchy-config.ts';
import { backoffMs } from '../../shared/runtime/backoff.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { GrantStore } from '../../shared/stores/grant-store.ts';
import { HeldLease } from '../../shared/stores/held-lease.ts';
import { HeldShards } from '../../shared/stores/held-shards.ts';
import type { JournalReader } from '../../shared/stores/journal.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { LevelStore } from '../../shared/stores/level-store.ts';
import type { LogReader } from '../../shared/stores/log-store.ts';
import type { PriceWriter } from '../../shared/stores/price-book.ts';
import type { PriceFreezeStore } from '../../shared/stores/price-freezes.ts';
import type { PromiseReader } from '../../shared/stores/quote-store.ts';
import type { UsageStore } from '../../shared/stores/usage-store.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Metrics } from '../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { UNATTRIBUTED } from '../../shared/values/project-id.ts';
import { begunCards } from './begun-cards.ts';
import {
  type MeteringConfig,
  outcomePolicyOf,
  poolOf,
  tariffBookOf,
  witnessRuleOf,
} from './config.ts';
import { configuredGrants } from './configured-grants.ts';
import { GrantKeeper } from './ledger/grant-keeper.ts';
import { KnownClusters } from './ledger/known-clusters.ts';
import { Meter, type MeterPrice, type MeterShards } from './ledger/meter.ts';
import { PriceSetter } from './ledger/price-setter.ts';
import { Settler } from './ledger/settler.ts';
import { priceRuleOf } from './price-config.ts';
import { UsagePoller } from './usage/usage-poller.ts';
import { usageReaders } from './usage/usage-readers.ts';

export interface MeteringStores {
  readonly journal: JournalReader;
  readonly ledger: LedgerWriter;
  readonly prices: PriceWriter;
  readonly priceFreezes: PriceFreezeStore;
  readonly promises: PromiseReader;
  readonly grants: GrantStore;
  /** Where teams and organisations are configured. */
  readonly levels?: LevelStore;
}

/** What is measured rather than counted, for limits of bytes. */
export interface MeasuredUsage {
  readonly store: UsageStore;
  readonly logs: Pick<LogReader, 'volume'>;
  /** Projects whose logs of a day the collector limits. */
  readonly logLimited: readonly string[];
}

export interface MeteringDeps {
  readonly config: MeteringConfig;
  readonly stores: MeteringStores;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Ends the loop as disposing does. */
  readonly signal?: AbortSignal;
  /** Where several meters share a ledger: each settles its share of the shards. */
  readonly leases?: { readonly store: LeaseStore; readonly holder: string };
  readonly usage?: MeasuredUsage;
  /** For the wait after a failure. */
  readonly random?: () => number;
}

export interface Metering extends AsyncDisposable {
  /** Settles until nothing is left; rejects with what went wrong. For tests and for shutdown. */
  settleNow(): Promise<void>;
}

/** Most of one settlement: a transaction of some 100 ms, in which the thread serves nothing else. */
const FACTS_MAX = 1_000;
const CONTAINERS_MAX = 500;
/** A ledger that was away for long is used again within this. */
const FAILURE_WAIT_MAX_MS = 10_000;

type Leases = NonNullable<MeteringDeps['leases']>;

function leaseOptions({ config, clock }: MeteringDeps, leases: Leases) {
  return { ...leases, ttlMs: config.meterLeaseMs, clock };
}

/** This meter's share, or all there are where it is alone. */
async function meterShards(deps: MeteringDeps): Promise<MeterShards & AsyncDisposable> {
  const shards = await deps.stores.ledger.shards();
  if (deps.leases !== undefined) {
    return new HeldShards({ ...leaseOptions(deps, deps.leases), name: 'meter', shards });
  }
  const all = new Map(Array.from({ length: shards }, (_, shard) => [shard, undefined] as const));
  return {
    fences: () => Promise.resolve(all),
    lost: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function usagePoller(deps: MeteringDeps, lease: HeldLease | undefined): UsagePoller | undefined {
  const { usage, config, clock } = deps;
  if (usage === undefined) return undefined;
  return new UsagePoller({
    ...deps,
    usage: usage.store,
    readers: usageReaders(config.projects, { clock, ...usage }),
    intervalMs: config.usagePollMs,
    lease,
  });
}

function meterPrices(deps: MeteringDeps, known: KnownClusters): MeterPrice[] {
  const { config, stores } = deps;
  return config.pools.map(({ id, price = config.price }) => ({
    setter: new PriceSetter(stores, {
      id,
      clusters: (at) => known.ofPool(id, at),
      rule: priceRuleOf(price, config.clusters),
    }),
    lease:
      deps.leases && new HeldLease({ ...leaseOptions(deps, deps.leases), name: `price/${id}` }),
  }));
}

/**
 * Prices, settles and charges until disposed; the stores stay open, since others use them.
 *
 * @throws AppError CONFIG_INVALID for a rate card that asks something else than when it began
 */
export async function startMetering(deps: MeteringDeps): Promise<Metering> {
  const { config, stores, clock, logger, metrics, random = Math.random } = deps;
  const tariff = tariffBookOf(config);
  await stores.ledger.fixRateCards(begunCards(tariff, clock.now()), clock.now());
  for (const id of [UNATTRIBUTED, ...config.projects.map((project) => project.id as ProjectId)]) {
    await stores.grants.register(id);
  }
  await stores.grants.grantAll(configuredGrants(config.projects, clock.now()));
  const pools = poolOf(config.pools, config.clusters);
  const shards = await meterShards(deps);
  const prices = meterPrices(deps, new KnownClusters(stores.journal, pools));
  const grantsLease =
    deps.leases && new HeldLease({ ...leaseOptions(deps, deps.leases), name: 'grants' });
  const usageLease =
    deps.leases && new HeldLease({ ...leaseOptions(deps, deps.leases), name: 'usage' });
  const meter = new Meter({
    grants: new GrantKeeper({
      grants: stores.grants,
      levels: stores.levels && {
        store: stores.levels,
        levels: levelsOf(config.hierarchy).levels,
      },
      clock,
      lease: grantsLease,
    }),
    settler: new Settler(stores, {
      tariff,
      poolOf: pools,
      leaseMs: config.leaseMs,
      witnessRule: witnessRuleOf(config),
      outcomePolicy: outcomePolicyOf(config),
      accrualIntervalMs: config.accrualIntervalMs,
      factsMax: FACTS_MAX,
      containersMax: CONTAINERS_MAX,
    }),
    prices,
    shards,
    clock,
    metrics,
  });
  const stop = new AbortController();
  const signal =
    deps.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, deps.signal]);
  const measuring = usagePoller(deps, usageLease)?.run(signal);
  const loop = (async () => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await meter.run(signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        const expected = error instanceof AppError;
        logger.error(
          { error, failures },
          expected ? error.message : 'settling failed; it is tried again',
        );
      }
      const wait =
        failures === 0
          ? config.settleIntervalMs
          : config.settleIntervalMs +
            backoffMs(failures, {
              baseMs: config.settleIntervalMs,
              capMs: FAILURE_WAIT_MAX_MS,
              random,
            });
      await clock.sleep(wait, signal);
    }
  })();
  return {
    settleNow: () => meter.run(),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await loop;
      await measuring;
      for (const held of [shards, grantsLease, usageLease, ...prices.map(({ lease }) => lease)]) {
        try {
          await held?.[Symbol.asyncDispose]();
        } catch (error) {
          // It runs out by itself.
          logger.warn({ err: error }, 'a lease of the meter was not given back');
        }
      }
    },
  };
}
