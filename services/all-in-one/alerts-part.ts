import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { openTargetReader } from '../../shared/clusters/open-cluster.ts';
import { quantityOf, rateQuantity } from '../../shared/rating/rate-interval.ts';
import {
  checkStores,
  type LedgerStores,
  openAlertStores,
  openLedgerStores,
  openLogStoreReader,
  openMetricStoreReader,
  openQuarantine,
} from '../../shared/stores/open-stores.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { BASE_STEP } from '../../shared/values/price-step.ts';
import { type AlerterDeps, startAlerter } from '../alerter/start.ts';
import { poolOf, tariffBookOf } from '../metering/config.ts';
import type { TollgateConfig } from './config.ts';
import type { Part, PartDeps } from './part.ts';

type AlertsDeps = PartDeps<Pick<TollgateConfig, 'alerter' | 'containers' | 'metering'>>;

/** What such resources cost an hour at the price of that moment. */
function hourlyCost(
  { config: { metering } }: AlertsDeps,
  prices: Pick<LedgerStores['priceWriter'], 'epochs'>,
): AlerterDeps['signals']['creditsPerHour'] {
  const tariff = tariffBookOf(metering);
  const pools = poolOf(metering.pools, metering.clusters);
  return async (cluster, resources, at) => {
    const pool = pools(cluster);
    const epochs = pool === undefined ? [] : await prices.epochs(pool, at, at + 1);
    const hour = quantityOf({ start: 0, end: HOUR_MS, resources });
    return rateQuantity(hour, epochs.at(-1)?.step ?? BASE_STEP, tariff.of(cluster).cardAt(at));
  };
}

/** Clusters that tell their own state. */
function targetsOf({ config, clock }: AlertsDeps) {
  return new Map(
    config.containers.clusters.flatMap((cluster) => {
      const { id, type } = cluster;
      return type === 'none' ? [] : [[id, openTargetReader({ ...cluster, type }, clock)] as const];
    }),
  );
}

/** How each store answers when it is looked at. */
function sightOfStores({ setup, clock }: AlertsDeps): AlerterDeps['signals']['tollgate'] {
  return {
    async stores() {
      const outcomes = await checkStores(setup);
      const at = clock.now();
      return outcomes.map(({ store, error }) => ({ store, error: error?.message, at }));
    },
    sources: async () => [],
  };
}

/** Rules, who is told, and what is done, away from the threads that charge and answer. */
export async function openAlertsPart(deps: AlertsDeps): Promise<Part> {
  const { config, setup, clock, random } = deps;
  await using resources = new AsyncDisposableStack();
  const ledger = resources.use(await openLedgerStores(setup, deps, { walKept: true }));
  const stores = resources.use(await openAlertStores(setup, deps));
  const logs = resources.use(await openLogStoreReader(setup, deps));
  const metricStore = resources.use(await openMetricStoreReader(setup, deps));
  const quarantine = resources.use(await openQuarantine(setup, () => {}));
  resources.use(
    await startAlerter({
      ...deps,
      config: config.alerter,
      stores,
      signals: {
        ...{ metrics: metricStore, logs, quarantine, outbox: stores.outbox, clock },
        ...{ ledger: ledger.ledgerReader, spending: ledger.spending, grants: ledger.grants },
        ...{ workloads: ledger.workloads, applications: ledger.applicationWatch },
        ...{ journal: ledger.journalReader, prices: ledger.priceWriter },
        clusters: config.containers.clusters.map(({ id }) => id),
        pools: config.metering.pools.map(({ id }) => id),
        targets: targetsOf(deps),
        creditsPerHour: hourlyCost(deps, ledger.priceWriter),
        tollgate: sightOfStores(deps),
      },
      holder: `${hostname()}/${process.pid}/${random().toString(36).slice(2)}`,
      readFile: (path) => readFileSync(path, 'utf8'),
    }),
  );
  const open = resources.move();
  return { handlers: {}, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
