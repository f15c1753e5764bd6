import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { must } from '../../shared/errors/assert.ts';
import { type CatchUp, catchUpClock } from '../../shared/runtime/catch-up-clock.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import {
  type LedgerStores,
  openDataFolder,
  openLedgerStores,
  openQuarantine,
  openTokenStore,
} from '../../shared/stores/open-stores.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { Metrics, printMetrics } from '../../shared/telemetry/metrics.ts';
import { parseRateCard } from '../../shared/values/rate-card.ts';
import { type ApiDeps, type ClusterInfo, openDoors, startApi } from '../api/start.ts';
import { createHttpInput } from '../collectors/inputs/http-input.ts';
import type { TollgateConfig } from './config.ts';
import { moduleFiles } from './module-files.ts';
import { remoteIngest, replayAll } from './remote-ingest.ts';
import { remoteLogReader, remoteMetricReader } from './remote-readers.ts';
import { startThread, type Thread, type ThreadData } from './thread.ts';

export interface AllInOneOptions {
  readonly config: TollgateConfig;
  readonly mode: 'demo' | 'start';
  readonly version: string;
  /** The demo's clock; without it, real time. */
  readonly catchUp?: CatchUp;
  /** Called once when a part ends by itself: the process should end too. */
  readonly onCrash: (part: string, error: unknown) => void;
}

export interface AllInOne extends AsyncDisposable {
  readonly url: string;
  /** Makes who opens it the first administrator; undefined where nobody needs to sign in. */
  readonly adminLink: string | undefined;
  /** Ports of the Graphite listeners, in the order of the configuration. */
  readonly graphitePorts: readonly number[];
}

interface Threads {
  readonly ledger: Thread;
  readonly logs: Thread;
  readonly metrics: Thread;
  readonly search: Thread;
}

/** The ledger first, since the others look applications up in its file. */
async function startThreads(
  data: ThreadData<TollgateConfig>,
  resources: AsyncDisposableStack,
  onCrash: AllInOneOptions['onCrash'],
): Promise<Threads> {
  const start = async (name: string): Promise<Thread> =>
    resources.use(await startThread(name, data, onCrash));
  const ledger = await start('ledger');
  const [logs, metrics] = await Promise.all([start('logs'), start('metrics')]);
  return { ledger, logs, metrics, search: await start('search') };
}

function clusterInfos(config: TollgateConfig): ClusterInfo[] {
  const { pools } = config.metering;
  const poolOf = (cluster: string): string =>
    pools.find(({ clusters }) => clusters.includes(cluster))?.id ??
    pools.find(({ clusters }) => clusters.includes('*'))?.id ??
    '';
  return config.containers.clusters.map(({ id, type, links }) => ({
    id,
    type,
    pool: poolOf(id),
    links,
  }));
}

function rateCardOf(config: TollgateConfig) {
  const card = parseRateCard(config.metering.rateCard);
  return must('problems' in card ? undefined : card, 'the schema has checked the rate card');
}

function apiDeps(
  options: AllInOneOptions,
  stores: LedgerStores,
  threads: Threads,
  rest: Pick<ApiDeps, 'quarantine' | 'clock' | 'startedAt'>,
): ApiDeps {
  const { config, mode } = options;
  const { ledger, logs, metrics, search } = threads;
  const collectors = { logs, metrics, progress: metrics, containers: ledger };
  const rpcs = {
    logs: logs.rpc,
    metrics: metrics.rpc,
    progress: collectors.progress.rpc,
    containers: collectors.containers.rpc,
  };
  return {
    ledger: stores.ledgerReader,
    prices: stores.priceWriter,
    journal: stores.journalReader,
    grants: stores.grants,
    logs: remoteLogReader(search.rpc),
    metricStore: remoteMetricReader(search.rpc),
    replay: (records) => replayAll(rpcs, records),
    clusters: clusterInfos(config),
    pools: config.metering.pools.map(({ id }) => id),
    rateCard: rateCardOf(config),
    mode,
    version: options.version,
    ...rest,
  };
}

/**
 * Every service in this process, on the embedded engine. Disposing stops inputs before stores.
 *
 * @throws AppError CONFLICT (data folder in use), PORT_TAKEN, STORE_UNAVAILABLE, DISK_FULL
 */
export async function startAllInOne(options: AllInOneOptions): Promise<AllInOne> {
  const { config, catchUp, onCrash } = options;
  const clock = catchUp === undefined ? systemClock : catchUpClock(systemClock, catchUp);
  const logger = createLogger('api', config.logLevel);
  const crashed: string[] = [];
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await openDataFolder(config.dataFolder));
  const data = { config, dataFolder: folder.path, catchUp, logLevel: config.logLevel };
  const threads = await startThreads(data, resources, (part, error) => {
    crashed.push(`${part}: the thread has ended`);
    onCrash(part, error);
  });
  // Grants are written here; the ledger's own thread writes everything else.
  const stores = resources.use(await openLedgerStores(folder));
  const metrics = new Metrics();
  const quarantine = resources.use(await openQuarantine(folder, () => {}));
  const tokens = resources.use(await openTokenStore(folder));
  const asking = { store: tokens, clock: systemClock, random: randomBytes, logger, metrics };
  const doors = resources.use(await openDoors(config.api, asking));
  const { logs, metrics: points, ledger } = threads;
  const ingest = createHttpInput({
    handlers: {
      logs: remoteIngest(logs.rpc, 'logs'),
      metrics: remoteIngest(points.rpc, 'metrics'),
      progress: remoteIngest(points.rpc, 'progress'),
      containers: remoteIngest(ledger.rpc, 'containers'),
    },
    bodyMaxBytes: config.api.ingestBodyMaxBytes,
    queueMaxBytes: config.api.ingestQueueMaxBytes,
    projectsOf: (request) => doors.callerOf(request)?.projects,
    clock,
  });
  const deps = apiDeps(options, stores, threads, { quarantine, clock, startedAt: clock.now() });
  const api = resources.use(
    await startApi(config.api, deps, {
      logger,
      doors,
      metrics,
      ingest,
      webRoot: join(import.meta.dirname, '../web'),
      moduleFiles: moduleFiles(),
      notReady: () => crashed,
      printMetrics: async () => {
        const parts = await Promise.all(Object.values(threads).map((thread) => thread.metrics()));
        return printMetrics([metrics.snapshot(), ...parts]);
      },
    }),
  );
  const addresses = await points.rpc.call<{ port: number }[]>('graphite-addresses', []);
  const open = resources.move();
  return {
    url: api.url,
    adminLink: api.adminLink,
    graphitePorts: addresses.map(({ port }) => port),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
