import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { openActuator, openCluster, openTargetReader } from '../../shared/clusters/open-cluster.ts';
import type { ActivitySources } from '../../shared/clusters/read-activity.ts';
import { WatchedTargetReader } from '../../shared/clusters/watched-target-reader.ts';
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
import { DAY_MS, HOUR_MS } from '../../shared/values/instant.ts';
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

/** Managers that can be asked; what may be done there is what `act` allows. */
function clustersOf(
  { config, clock }: AlertsDeps,
  sources: ActivitySources,
): AlerterDeps['clusters'] {
  const lookbackMs = config.alerter.enforce.idle + DAY_MS;
  return new Map(
    config.containers.clusters.flatMap((cluster) => {
      const { id, type, act } = cluster;
      if (type === 'none') return [];
      const settings = { ...cluster, type };
      const reader = new WatchedTargetReader({
        ...{ reader: openTargetReader(settings, clock), sources, cluster: id, lookbackMs, clock },
        neverHas: new Set(cluster.neverHas),
      });
      const actuator = act === undefined ? undefined : openActuator(settings, act, clock);
      return [[id, { live: openCluster(settings, clock), reader, actuator }] as const];
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
  const clusters = clustersOf(deps, {
    journal: ledger.journalReader,
    ledger: ledger.ledgerReader,
    metrics: metricStore,
  });
  resources.use(
    await startAlerter({
      ...deps,
      config: config.alerter,
      ...{ stores, clusters, stopOrders: ledger.stopOrders },
      ...{ dataFolder: setup.dataFolder, enforcementWord: deps.enforcementWord },
      signals: {
        ...{ metrics: metricStore, logs, quarantine, outbox: stores.outbox, clock },
        ...{ ledger: ledger.ledgerReader, spending: ledger.spending, grants: ledger.grants },
        ...{ workloads: ledger.workloads, applications: ledger.applicationWatch },
        ...{ journal: ledger.journalReader, prices: ledger.priceWriter },
        clusters: config.containers.clusters.map(({ id }) => id),
        pools: config.metering.pools.map(({ id }) => id),
        targets: new Map([...clusters].map(([id, { reader }]) => [id, reader])),
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
