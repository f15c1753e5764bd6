import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../shared/errors/app-error.ts';
import { levelsOf } from '../../shared/grants/hierarchy-config.ts';
import { limitsByProject } from '../../shared/rating/project-limits-config.ts';
import { shadowProjects } from '../../shared/rating/shadow-mode.ts';
import { type CatchUp, catchUpClock } from '../../shared/runtime/catch-up-clock.ts';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import { isEmbedded, type StoresSetup } from '../../shared/stores/config.ts';
import {
  type AlertStores,
  checkStores,
  type LedgerStores,
  openAlertStores,
  openDataFolder,
  openLedgerStores,
  openQuarantine,
  openTokenStore,
  type StoreOutcome,
} from '../../shared/stores/open-stores.ts';
import { createLogger, type Logger } from '../../shared/telemetry/logger.ts';
import { Metrics, printMetrics } from '../../shared/telemetry/metrics.ts';
import { extendLinksOf, switchablePolicies } from '../alerter/config.ts';
import {
  type ApiDeps,
  type ClusterInfo,
  type Doors,
  openDeniedWork,
  openDoors,
  startApi,
} from '../api/start.ts';
import { createHttpInput } from '../collectors/inputs/http-input.ts';
import {
  creditPriceOf,
  fixedStepsOf,
  outcomePolicyOf,
  poolOf,
  tariffBookOf,
  witnessRuleOf,
} from '../metering/config.ts';
import type { TollgateConfig } from './config.ts';
import { moduleFiles } from './module-files.ts';
import { ROLES, type Role } from './part.ts';
import { remoteIngest, replayAll } from './remote-ingest.ts';
import { remoteLogReader, remoteMetricReader } from './remote-readers.ts';
import { remoteReplays } from './remote-replays.ts';
import { type Parts, startParts } from './start-parts.ts';
import { StoreHealth } from './store-health.ts';

const STORE_CHECK_MS = 10_000;

export interface AllInOneOptions {
  readonly config: TollgateConfig;
  readonly mode: 'demo' | 'start';
  readonly version: string;
  /** What it does; without it, everything. */
  readonly roles?: readonly Role[];
  /** The demo's clock; without it, real time. */
  readonly catchUp?: CatchUp;
  /** TOLLGATE_ENFORCEMENT of the environment. */
  readonly enforcementWord?: string | undefined;
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

/** The collectors, where this process collects. */
function collectorsOf({ ledger, logs, metrics }: Parts) {
  if (ledger === undefined || logs === undefined || metrics === undefined) return undefined;
  return { logs: logs.rpc, metrics: metrics.rpc, progress: metrics.rpc, containers: ledger.rpc };
}

/** @throws AppError of the first store's code, with what is wrong with each */
function throwProblems(outcomes: readonly StoreOutcome[]): void {
  const errors = outcomes.flatMap(({ error }) => error ?? []);
  const [first] = errors;
  if (first === undefined) return;
  throw new AppError(first.code, errors.map(({ message }) => message).join('\n'));
}

/** @throws AppError CONFIG_INVALID where processes would have to share a data folder */
function checkRoles({ stores }: TollgateConfig, roles: readonly Role[]): void {
  if (ROLES.every((role) => roles.includes(role))) return;
  const embedded = Object.entries(stores).flatMap(([name, store]) =>
    isEmbedded(store) ? [`stores.${name}.url`] : [],
  );
  if (embedded.length === 0) return;
  throw new AppError(
    'CONFIG_INVALID',
    `processes for ${roles.join(' and ')} alone need stores that they share with others, and ` +
      `${embedded.join(', ')} is in the data folder; give the URL of a server, or run "tollgate start"`,
  );
}

function clusterInfos(config: TollgateConfig): ClusterInfo[] {
  const pool = poolOf(config.metering.pools, config.metering.clusters);
  return config.containers.clusters.map(({ id, type, links }) => ({
    id,
    type,
    pool: pool(id) ?? '',
    links,
  }));
}

function meteringRules(config: TollgateConfig['metering']): ApiDeps['metering'] {
  const pools = poolOf(config.pools, config.clusters);
  return {
    ...{ tariff: tariffBookOf(config), poolOf: pools, leaseMs: config.leaseMs },
    ...{ witnessRule: witnessRuleOf(config), outcomePolicy: outcomePolicyOf(config) },
  };
}

type Operation = Required<
  Pick<ApiDeps, 'quarantine' | 'clock' | 'startedAt' | 'mode' | 'version'>
> &
  Pick<ApiDeps, 'replay'>;

/** What the whole API answers from, where this process serves it. */
function apiDeps(
  config: TollgateConfig,
  stores: LedgerStores,
  { search, replay, alerting }: Parts & { readonly alerting: Alerting | undefined },
  operation: Operation,
): ApiDeps | Operation {
  if (search === undefined || replay === undefined || alerting === undefined) return operation;
  return {
    ...operation,
    ledger: stores.ledgerReader,
    spending: stores.spending,
    prices: stores.priceWriter,
    journal: stores.journalReader,
    ...{ alerts: alerting.alerts, silences: alerting.silences },
    enforcement: {
      store: alerting.enforcement,
      policies: switchablePolicies(config.alerter),
      links: extendLinksOf(config.alerter),
    },
    deniedWork: alerting.denied.of,
    grants: stores.grants,
    periods: stores.periods,
    closeGraceMs: config.metering.closeGraceMs,
    levels: { above: levelsOf(config.metering.hierarchy).above, reader: stores.levels },
    stopOrders: stores.stopOrders,
    priceFreezes: stores.priceFreezes,
    explanations: stores.explanations,
    metering: meteringRules(config.metering),
    tariffReplays: remoteReplays(replay.rpc),
    quotes: stores.quotes,
    workloads: stores.workloads,
    quoting: config.api.quotes,
    random: randomBytes,
    logs: remoteLogReader(search.rpc),
    metricStore: remoteMetricReader(search.rpc),
    clusters: clusterInfos(config),
    pools: config.metering.pools.map(({ id }) => id),
    reservations: stores.reservations,
    limitsOf: limitsByProject(config.metering.projects, config.logs.quota),
    fixedSteps: fixedStepsOf(config.metering.rateCard),
    tariff: tariffBookOf(config.metering),
    creditPrice: creditPriceOf(config.metering),
    isShadow: shadowProjects(config.metering),
  };
}

/** What the API has of the alerter's. */
type Alerting = AlertStores & { readonly denied: Awaited<ReturnType<typeof openDeniedWork>> };

async function openAlerting(
  setup: StoresSetup,
  deps: { readonly clock: Clock; readonly logger: Logger },
  resources: AsyncDisposableStack,
): Promise<Alerting> {
  const stores = resources.use(await openAlertStores(setup, { ...deps, random: Math.random }));
  const denied = resources.use(await openDeniedWork({ store: stores.enforcement, ...deps }));
  return { ...stores, denied };
}

interface IngestDeps {
  readonly doors: Doors;
  readonly clock: Clock;
  readonly stores: LedgerStores;
  readonly metrics: Metrics;
}

/** The collectors' HTTP doors, where this process collects. */
function ingestOf({ api }: TollgateConfig, parts: Parts, deps: IngestDeps) {
  const collectors = collectorsOf(parts);
  if (collectors === undefined) return undefined;
  const { stores, metrics } = deps;
  return createHttpInput({
    handlers: {
      logs: remoteIngest(collectors.logs, 'logs'),
      metrics: remoteIngest(collectors.metrics, 'metrics'),
      progress: remoteIngest(collectors.progress, 'progress'),
      containers: remoteIngest(collectors.containers, 'containers'),
    },
    bodyMaxBytes: api.ingestBodyMaxBytes,
    queueMaxBytes: api.ingestQueueMaxBytes,
    projectsOf: (request) => deps.doors.callerOf(request)?.projects,
    clock: deps.clock,
    // Orders are of real time, whatever a demo plays.
    agents: {
      orders: stores.stopOrders,
      known: stores.journalReader,
      clock: systemClock,
      metrics,
    },
  });
}

/**
 * Every service in this process, or those of some roles. Disposing stops inputs before stores.
 *
 * @throws AppError CONFLICT (data folder in use), PORT_TAKEN, CONFIG_INVALID, DISK_FULL,
 * STORE_UNAVAILABLE or STORE_MISCONFIGURED
 */
export async function startAllInOne(options: AllInOneOptions): Promise<AllInOne> {
  const { config, catchUp, onCrash, mode, version, roles = ROLES } = options;
  checkRoles(config, roles);
  const clock = catchUp === undefined ? systemClock : catchUpClock(systemClock, catchUp);
  const logger = createLogger('api', config.logLevel);
  const crashed: string[] = [];
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await openDataFolder(config.dataFolder));
  const setup = {
    dataFolder: folder.path,
    process: config.process ?? hostname(),
    stores: config.stores,
  };
  throwProblems(await checkStores(setup));
  const { enforcementWord } = options;
  const data = { config, setup, roles, catchUp, enforcementWord, logLevel: config.logLevel };
  const parts = await startParts(data, resources, (part, error) => {
    crashed.push(`${part}: the thread has ended`);
    onCrash(part, error);
  });
  // Grants and closed months are written here; the ledger's own thread writes everything else.
  const stores = resources.use(
    await openLedgerStores(setup, { clock, random: Math.random }, { walKept: true }),
  );
  // Silences are made here, beside the alerter.
  const alerting = roles.includes('serve')
    ? await openAlerting(setup, { clock, logger }, resources)
    : undefined;
  const metrics = new Metrics();
  const quarantine = resources.use(await openQuarantine(setup, () => {}));
  const tokens = resources.use(await openTokenStore(setup));
  const asking = { store: tokens, clock: systemClock, random: randomBytes, logger, metrics };
  const doors = resources.use(await openDoors(config.api, asking));
  const health = resources.use(
    new StoreHealth({
      check: () => checkStores(setup),
      intervalMs: STORE_CHECK_MS,
      clock: systemClock,
      logger,
    }),
  );
  const collectors = collectorsOf(parts);
  const deps = apiDeps(
    config,
    stores,
    { ...parts, alerting },
    {
      ...{ quarantine, clock, startedAt: clock.now(), mode, version },
      replay: collectors === undefined ? undefined : (records) => replayAll(collectors, records),
    },
  );
  const api = resources.use(
    await startApi(config.api, deps, {
      logger,
      doors,
      metrics,
      ingest: ingestOf(config, parts, { doors, clock, stores, metrics }),
      webRoot: join(import.meta.dirname, '../web'),
      moduleFiles: moduleFiles(),
      notReady: () => [...crashed, ...health.reasons],
      printMetrics: async () => {
        const own = metrics.snapshot();
        const others = await Promise.all(Object.values(parts).map((part) => part.metrics()));
        return printMetrics([own, ...others]);
      },
    }),
  );
  const addresses =
    config.metrics.graphite.length === 0
      ? []
      : ((await parts.metrics?.rpc.call<{ port: number }[]>('graphite-addresses', [])) ?? []);
  const open = resources.move();
  return {
    url: api.url,
    adminLink: api.adminLink,
    graphitePorts: addresses.map(({ port }) => port),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
