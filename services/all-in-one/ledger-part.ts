import { hostname } from 'node:os';
import { isEmbedded } from '../../shared/stores/config.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import {
  keepStores,
  openLeaseStore,
  openLedgerStores,
  openLogStoreReader,
} from '../../shared/stores/open-stores.ts';
import { startContainers } from '../collectors/containers/start.ts';
import { startMetering } from '../metering/start.ts';
import type { TollgateConfig } from './config.ts';
import { LogVolume } from './log-volume.ts';
import { openPartQuarantine } from './open-part-quarantine.ts';
import type { Part, PartDeps } from './part.ts';

type LedgerDeps = PartDeps<Pick<TollgateConfig, 'metering' | 'containers' | 'logs'>>;
type Leases = { readonly store: LeaseStore; readonly holder: string };
type LedgerStores = Awaited<ReturnType<typeof openLedgerStores>>;

/**
 * Others may work on the same ledger. On an embedded one nobody does, and a lease would only make a
 * restart wait for its end.
 */
function isShared({ setup }: LedgerDeps): boolean {
  return !isEmbedded(setup.stores.ledger);
}

/** Meters, and does what the stores need done now and then. */
async function startMeter(
  deps: LedgerDeps,
  ledger: LedgerStores,
  leases: Leases,
): Promise<AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  const { store, holder } = leases;
  const stop = new AbortController();
  const keeping = keepStores(deps.setup, { ...deps, leases: store, holder }, stop.signal);
  resources.defer(async () => {
    stop.abort();
    await keeping;
  });
  resources.use(
    await startMetering({
      ...deps,
      config: deps.config.metering,
      stores: {
        journal: ledger.journalReader,
        ledger: ledger.ledgerWriter,
        prices: ledger.priceWriter,
        priceFreezes: ledger.priceFreezes,
        promises: ledger.quotes,
        grants: ledger.grants,
        levels: ledger.levels,
      },
      usage: {
        store: ledger.usage,
        logs: resources.use(new LogVolume(() => openLogStoreReader(deps.setup, deps))),
        logLimited: deps.config.logs.quota.flatMap(({ project, bytesPerDay }) =>
          bytesPerDay === undefined ? [] : [project],
        ),
      },
      ...(isShared(deps) ? { leases } : {}),
    }),
  );
  return resources.move();
}

async function startCollector(deps: LedgerDeps, ledger: LedgerStores, leases: Leases) {
  await using resources = new AsyncDisposableStack();
  const quarantine = resources.use(await openPartQuarantine(deps));
  const containers = resources.use(
    await startContainers({
      ...deps,
      config: deps.config.containers,
      journal: ledger.journalWriter,
      known: ledger.journalReader,
      quarantine,
      ...(isShared(deps) ? { leases } : {}),
    }),
  );
  const open = resources.move();
  return {
    handlers: {
      'ingest-containers': (request: never) => containers.ingest(request),
      'replay-containers': (records: never) => containers.replay(records),
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The writer of the journal and the ledger: containers come in, charges go out. */
export async function openLedgerPart(
  deps: PartDeps<Pick<TollgateConfig, 'metering' | 'containers' | 'logs'>>,
): Promise<Part> {
  await using resources = new AsyncDisposableStack();
  const ledger = resources.use(await openLedgerStores(deps.setup, deps));
  const store = resources.use(await openLeaseStore(deps.setup, deps));
  const holder = `${hostname()}/${process.pid}/${deps.random().toString(36).slice(2)}`;
  const leases = { store, holder };
  if (deps.roles.includes('meter')) resources.use(await startMeter(deps, ledger, leases));
  const collector = deps.roles.includes('collect')
    ? resources.use(await startCollector(deps, ledger, leases))
    : undefined;
  const open = resources.move();
  return {
    handlers: collector?.handlers ?? {},
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
