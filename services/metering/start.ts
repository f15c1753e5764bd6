import { AppError } from '../../shared/errors/app-error.ts';
import { backoffMs } from '../../shared/runtime/backoff.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { GrantStore } from '../../shared/stores/grant-store.ts';
import { HeldLease } from '../../shared/stores/held-lease.ts';
import type { JournalReader } from '../../shared/stores/journal.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { PriceWriter } from '../../shared/stores/price-book.ts';
import type { Logger } from '../../shared/telemetry/logger.ts';
import type { Metrics } from '../../shared/telemetry/metrics.ts';
import { parseCredits } from '../../shared/values/money.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { UNATTRIBUTED } from '../../shared/values/project-id.ts';
import { type MeteringConfig, poolOf, priceRuleOf, tariffOf } from './config.ts';
import { Meter } from './ledger/meter.ts';
import { PriceSetter } from './ledger/price-setter.ts';
import { Settler } from './ledger/settler.ts';

export interface MeteringStores {
  readonly journal: JournalReader;
  readonly ledger: LedgerWriter;
  readonly prices: PriceWriter;
  readonly grants: GrantStore;
}

export interface MeteringDeps {
  readonly config: MeteringConfig;
  readonly stores: MeteringStores;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Ends the loop as disposing does. */
  readonly signal?: AbortSignal;
  /** Where several meters share a ledger: the one that holds the lease works, the others wait. */
  readonly leases?: { readonly store: LeaseStore; readonly holder: string };
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

async function grantConfigured(
  projects: MeteringConfig['projects'],
  grants: GrantStore,
  clock: Clock,
): Promise<void> {
  await grants.register(UNATTRIBUTED);
  for (const { id, grants: given } of projects) {
    const project = id as ProjectId;
    await grants.register(project);
    for (const { id: grantId, credits, reason } of given) {
      const amount = parseCredits(credits) ?? 0n;
      await grants.grant({ id: grantId, project, amount, reason, grantedAt: clock.now() });
    }
  }
}

/** Prices, settles and charges until disposed; the stores stay open, since others use them. */
export async function startMetering(deps: MeteringDeps): Promise<Metering> {
  const { config, stores, clock, logger, metrics, random = Math.random } = deps;
  await grantConfigured(config.projects, stores.grants, clock);
  const pools = poolOf(config.pools);
  const lease =
    deps.leases === undefined
      ? undefined
      : new HeldLease({ ...deps.leases, name: 'meter', ttlMs: config.meterLeaseMs, clock });
  const meter = new Meter({
    settler: new Settler(stores, {
      tariff: tariffOf(config),
      poolOf: pools,
      leaseMs: config.leaseMs,
      accrualIntervalMs: config.accrualIntervalMs,
      factsMax: FACTS_MAX,
      containersMax: CONTAINERS_MAX,
    }),
    prices: config.pools.map(
      ({ id }) =>
        new PriceSetter(
          stores,
          { id, clusters: (all) => all.filter((name) => pools(name) === id) },
          priceRuleOf(config.price),
        ),
    ),
    clock,
    metrics,
    lease,
  });
  const stop = new AbortController();
  const signal =
    deps.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, deps.signal]);
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
      await lease?.[Symbol.asyncDispose]().catch((error: unknown) => {
        // It runs out by itself.
        logger.warn({ err: error }, 'the lease of the meter was not given back');
      });
    },
  };
}
