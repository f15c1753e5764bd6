import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { ApplicationWatch } from './application-watch.ts';
import type { CheckpointStore } from './checkpoint.ts';
import { isEmbedded, type StoresConfig, type StoresSetup } from './config.ts';
import type { ExplanationReader } from './explanation-reader.ts';
import type { GrantStore } from './grant-store.ts';
import type { InfluxConfig } from './influx/config.ts';
import type { LongTermOptions } from './influx/run-long-term.ts';
import type { JournalReader, JournalWriter } from './journal.ts';
import type { LeaseStore } from './lease.ts';
import type { LedgerReader } from './ledger-reader.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { LevelStore } from './level-store.ts';
import type { LogReader, LogWriter, RefusedLog } from './log-store.ts';
import type { MetricReader, MetricWriter } from './metric-store.ts';
import type { PeriodStore } from './period-store.ts';
import type { PriceWriter } from './price-book.ts';
import type { PriceFreezeStore } from './price-freezes.ts';
import type { ProjectLookup } from './project-lookup.ts';
import type { Quarantine } from './quarantine.ts';
import type { QuoteStore } from './quote-store.ts';
import { refusedLog, refusedPoint } from './refused-records.ts';
import type { ReplayReader } from './replay-reader.ts';
import type { ReservationStore } from './reservation-store.ts';
import { scopedCheckpoints } from './scoped-checkpoints.ts';
import type { SpendingReader } from './spending-reader.ts';
import { lockFolder } from './sql/folder-lock.ts';
import { openLedgerProjectLookup } from './sql/ledger-project-lookup.ts';
import type { LogLimits } from './sql/log-limits.ts';
import { openLogReader } from './sql/log-reader.ts';
import { openLogWriter } from './sql/log-writer.ts';
import type { MetricLimits } from './sql/metric-limits.ts';
import { openMetricReader } from './sql/metric-reader.ts';
import { openMetricWriter } from './sql/metric-writer.ts';
import type { AlertStores } from './sql/open-alert-stores.ts';
import { openQuarantine as openSqliteQuarantine } from './sql/quarantine-store.ts';
import type { StopOrderStore } from './stop-orders.ts';
import type { TokenStore } from './token-store.ts';
import type { UsageStore } from './usage-store.ts';
import type { WorkloadReader } from './workload-reader.ts';

export type { AlertStores } from './sql/open-alert-stores.ts';

/**
 * This is the one place that chooses adapters, by the URLs of the configuration. Everything of the
 * embedded engine lies in one data folder: `ledger.db` (journal, ledger, prices, leases),
 * `checkpoints.db`, `quarantine.db`, `tokens.db`, `alerts.db`, `logs/` and `metrics/` (files a day).
 */
export interface DataFolder extends Disposable {
  readonly path: string;
}

/** Journal, ledger and prices behind one connection; closed as a whole. */
export interface LedgerStores extends AsyncDisposable {
  readonly journalWriter: JournalWriter;
  readonly journalReader: JournalReader;
  readonly ledgerWriter: LedgerWriter;
  readonly ledgerReader: LedgerReader;
  readonly priceWriter: PriceWriter;
  readonly grants: GrantStore;
  readonly periods: PeriodStore;
  readonly levels: LevelStore;
  readonly spending: SpendingReader;
  readonly stopOrders: StopOrderStore;
  readonly reservations: ReservationStore;
  readonly usage: UsageStore;
  readonly priceFreezes: PriceFreezeStore;
  readonly explanations: ExplanationReader;
  readonly replay: ReplayReader;
  readonly quotes: QuoteStore;
  readonly workloads: WorkloadReader;
  readonly applicationWatch: ApplicationWatch;
}

/** What adapters need beside their place. */
export interface StoreDeps {
  readonly clock: Clock;
  readonly random: () => number;
}

// Adapters with a driver or a query builder below them are loaded where they are used: each thread
// would load all of them, and needs one or two.
const postgres = () => import('./sql/open-postgres-ledger.ts');
const tokens = () => import('./sql/token-store.ts');
const elastic = () => import('./elastic/open-elastic-log-store.ts');

type Elastic = Awaited<ReturnType<typeof elastic>>;

const ledgerFile = ({ dataFolder }: StoresSetup): string => join(dataFolder, 'ledger.db');
const logFolder = ({ dataFolder }: StoresSetup): string => join(dataFolder, 'logs');
const metricFolder = ({ dataFolder }: StoresSetup): string => join(dataFolder, 'metrics');

/**
 * Makes the folder where it is missing, readable by its owner only, and holds it for this process.
 *
 * @throws AppError CONFLICT when another process holds it
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = lockFolder(path);
  return { path, [Symbol.dispose]: () => lock[Symbol.dispose]() };
}

/**
 * @param options.readOnly for who only reads, of a file that a writer has made
 * @param options.walKept a thread of this process runs `keepStores`, so that commits of this one
 *   needn't do what holds it up for long
 */
export async function openLedgerStores(
  setup: StoresSetup,
  deps: StoreDeps,
  options: { readonly readOnly?: boolean; readonly walKept?: boolean } = {},
): Promise<LedgerStores> {
  const { ledger } = setup.stores;
  if (!isEmbedded(ledger)) return (await postgres()).openPostgresLedger(ledger, deps);
  const { openLedger } = await import('./sql/open-ledger.ts');
  return openLedger({ file: ledgerFile(setup), ...options });
}

export async function openProjectLookup(
  setup: StoresSetup,
  { clock }: Pick<StoreDeps, 'clock'>,
): Promise<ProjectLookup> {
  const { ledger } = setup.stores;
  if (isEmbedded(ledger)) return openLedgerProjectLookup(ledgerFile(setup), clock);
  const { openPostgresProjectLookup } = await import('./sql/postgres-project-lookup.ts');
  return openPostgresProjectLookup(ledger, { clock });
}

/** Beside the ledger, whose writes its tokens fence. */
export async function openLeaseStore(
  setup: StoresSetup,
  { clock }: Pick<StoreDeps, 'clock'>,
): Promise<LeaseStore> {
  const { ledger } = setup.stores;
  if (!isEmbedded(ledger)) return (await postgres()).openPostgresLeaseStore(ledger);
  const { openSqliteLeaseStore } = await import('./sql/lease-store.ts');
  return openSqliteLeaseStore({ file: ledgerFile(setup), clock });
}

/** @param deps.quarantine takes what a server will never take */
export async function openMetricStoreWriter(
  setup: StoresSetup,
  deps: StoreDeps & {
    readonly logger: Logger;
    readonly metrics: Metrics;
    readonly limits?: Partial<MetricLimits>;
    readonly quarantine: Quarantine;
  },
): Promise<MetricWriter> {
  const { metrics: store } = setup.stores;
  if (isEmbedded(store)) return openMetricWriter({ folder: metricFolder(setup), ...deps });
  const checkpoints = await openCheckpointStore(setup, deps);
  const fates = deps.metrics.counter(
    'tollgate_store_points_dropped_total',
    'Points that the metric store did not keep, by reason.',
  );
  const { openInfluxMetricWriter } = await import('./influx/open-influx-metric-writer.ts');
  const writer = await openInfluxMetricWriter({
    ...deps,
    config: store,
    checkpoints,
    onRefused: (point) => deps.quarantine.put([refusedPoint(point, deps.clock.now())]),
    onFate: (reason, points) => fates({ reason }, points),
  });
  return {
    declare: (series) => writer.declare(series),
    release: (refs) => writer.release(refs),
    write: (block, positions, fences) => writer.write(block, positions, fences),
    checkpoints: (prefix) => writer.checkpoints(prefix),
    [Symbol.asyncDispose]: async () => {
      await writer[Symbol.asyncDispose]();
      await checkpoints[Symbol.asyncDispose]();
    },
  };
}

export async function openMetricStoreReader(
  setup: StoresSetup,
  { clock }: Pick<StoreDeps, 'clock'>,
): Promise<MetricReader> {
  const { metrics } = setup.stores;
  if (isEmbedded(metrics)) return openMetricReader({ folder: metricFolder(setup) });
  const { openInfluxMetricReader } = await import('./influx/open-influx-metric-reader.ts');
  return openInfluxMetricReader({ config: metrics, clock });
}

/** Where checkpoints lie that their records' own store can't hold; this process's own. */
async function openCheckpointStore(
  setup: StoresSetup,
  { clock }: Pick<StoreDeps, 'clock'>,
): Promise<CheckpointStore> {
  const { ledger } = setup.stores;
  if (!isEmbedded(ledger)) {
    const { openPostgresCheckpointStore } = await postgres();
    return scopedCheckpoints(await openPostgresCheckpointStore(ledger, { clock }), setup.process);
  }
  const { openSqliteCheckpointStore } = await import('./sql/checkpoint-store.ts');
  return openSqliteCheckpointStore({ file: join(setup.dataFolder, 'checkpoints.db'), clock });
}

/** Whether this process stored positions before whose names begin with `prefix`. */
export async function hasCheckpoints(
  setup: StoresSetup,
  prefix: string,
  deps: Pick<StoreDeps, 'clock'>,
): Promise<boolean> {
  await using store = await openCheckpointStore(setup, deps);
  return (await store.checkpoints(prefix)).some(({ position }) => position !== '');
}

/** @param deps.quarantine takes what a server will never take */
export async function openLogStoreWriter(
  setup: StoresSetup,
  deps: StoreDeps & {
    readonly logger: Logger;
    readonly limits?: Partial<LogLimits>;
    readonly quarantine: Quarantine;
  },
): Promise<LogWriter> {
  const { logs } = setup.stores;
  if (isEmbedded(logs)) return openLogWriter({ folder: logFolder(setup), ...deps });
  const checkpoints = await openCheckpointStore(setup, deps);
  const { quarantine, clock } = deps;
  const onRefused = (refused: readonly RefusedLog[]): Promise<void> =>
    quarantine.put(refused.map((one) => refusedLog(one, clock.now())));
  return (await elastic()).openElasticLogs(logs, { ...deps, checkpoints, onRefused });
}

export async function openLogStoreReader(
  setup: StoresSetup,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<LogReader> {
  const { logs } = setup.stores;
  return isEmbedded(logs)
    ? openLogReader({ folder: logFolder(setup) })
    : (await elastic()).openElasticLogSearch(logs, deps);
}

/**
 * Work that a store needs done now and then, by one process at a time; runs until the signal aborts.
 */
export async function keepStores(
  setup: StoresSetup,
  deps: Omit<LongTermOptions, 'config'>,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, logs, metrics } = setup.stores;
  await Promise.all([
    isEmbedded(ledger) ? keepLedgerWal(setup, deps, signal) : undefined,
    isEmbedded(logs) ? undefined : (await elastic()).keepElasticLogs(logs, deps, signal),
    isEmbedded(metrics) ? undefined : keepInfluxMetrics(metrics, deps, signal),
  ]);
}

async function keepLedgerWal(
  setup: StoresSetup,
  deps: Pick<LongTermOptions, 'clock' | 'logger'>,
  signal: AbortSignal,
): Promise<void> {
  const { keepLedgerWal: keep } = await import('./sql/keep-wal.ts');
  await keep(ledgerFile(setup), deps, signal);
}

async function keepInfluxMetrics(
  config: InfluxConfig,
  deps: Omit<LongTermOptions, 'config'>,
  signal: AbortSignal,
): Promise<void> {
  const { InfluxLongTerm } = await import('./influx/run-long-term.ts');
  const longTerm = new InfluxLongTerm({ ...deps, config });
  try {
    await longTerm.run(signal);
  } finally {
    await longTerm[Symbol.asyncDispose]();
  }
}

/** @param onEvicted hears how many records went because it was full */
export async function openQuarantine(
  setup: StoresSetup,
  onEvicted: (records: number) => void,
): Promise<Quarantine> {
  const { ledger } = setup.stores;
  if (isEmbedded(ledger)) {
    return openSqliteQuarantine({ file: join(setup.dataFolder, 'quarantine.db'), onEvicted });
  }
  const { openPostgresQuarantine } = await import('./sql/postgres-quarantine.ts');
  return openPostgresQuarantine(ledger, { onEvicted });
}

/** How one store took it; without an error, well. */
export interface StoreOutcome {
  /** As the configuration calls it: `ledger`, `logs`, `metrics`. */
  readonly store: string;
  readonly error: AppError | undefined;
}

type StoreWork = Readonly<Record<keyof StoresConfig, (() => Promise<unknown>) | undefined>>;

/** All are tried, so that all problems are told at once. */
async function tryEach(work: StoreWork): Promise<StoreOutcome[]> {
  return await Promise.all(
    Object.entries(work).map(async ([store, run]) => {
      try {
        await run?.();
        return { store, error: undefined };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return { store, error };
      }
    }),
  );
}

/** Looks whether each store answers and may be used. */
export function checkStores({ stores }: Pick<StoresSetup, 'stores'>): Promise<StoreOutcome[]> {
  const { ledger, logs, metrics } = stores;
  return tryEach({
    ledger: isEmbedded(ledger)
      ? undefined
      : async () => (await import('./sql/check-postgres.ts')).checkPostgres(ledger),
    logs: isEmbedded(logs) ? undefined : async () => (await elastic()).checkElasticLogs(logs),
    metrics: isEmbedded(metrics)
      ? undefined
      : async () => (await import('./influx/check-influx.ts')).checkInflux(metrics),
  });
}

/** Makes what the stores need that isn't there yet; does nothing where nothing is missing. */
export function initStores(
  { stores }: Pick<StoresSetup, 'stores'>,
  { clock }: Pick<StoreDeps, 'clock'>,
): Promise<StoreOutcome[]> {
  const { ledger, logs, metrics } = stores;
  return tryEach({
    ledger: isEmbedded(ledger)
      ? undefined
      : async () => (await import('./sql/init-postgres.ts')).initPostgres(ledger, { clock }),
    logs: isEmbedded(logs)
      ? undefined
      : async () => (await elastic()).initElasticLogs(logs, { clock }),
    metrics: isEmbedded(metrics)
      ? undefined
      : async () => (await import('./influx/init-influx.ts')).initInflux(metrics),
  });
}

/**
 * Takes all logs of a project away; its charges and metrics stay.
 *
 * @throws AppError STORE_MISCONFIGURED where logs are in the embedded store
 */
export async function forgetLogs(
  { stores }: Pick<StoresSetup, 'stores'>,
  project: ProjectId,
  deps: Parameters<Elastic['forgetElasticLogs']>[2],
): ReturnType<Elastic['forgetElasticLogs']> {
  const { logs } = stores;
  if (!isEmbedded(logs)) return (await elastic()).forgetElasticLogs(logs, project, deps);
  throw new AppError(
    'STORE_MISCONFIGURED',
    "One project's logs can't be forgotten: the embedded store has a file a day of all projects, " +
      'which goes by logs.store.retentionMs.',
  );
}

/**
 * What a project's members need to read its logs in the log store itself: the body of a role.
 *
 * @throws AppError STORE_MISCONFIGURED where there are no such roles
 */
export async function logReaderRole(
  { stores }: Pick<StoresSetup, 'stores'>,
  project: ProjectId,
): Promise<ReturnType<Elastic['elasticReaderRole']>> {
  const { logs } = stores;
  if (!isEmbedded(logs)) return (await elastic()).elasticReaderRole(logs, project);
  throw new AppError('STORE_MISCONFIGURED', 'The embedded log store has no roles: use API tokens.');
}

/**
 * API tokens. Unlike the other files this one is written by several processes: `tollgate token`
 * beside a running Tollgate. Makes the folder where it is missing, without holding it.
 */
export async function openTokenStore(setup: StoresSetup): Promise<TokenStore> {
  const { ledger } = setup.stores;
  if (!isEmbedded(ledger)) return (await tokens()).openPostgresTokenStore(ledger);
  await mkdir(setup.dataFolder, { recursive: true, mode: 0o700 });
  return (await tokens()).openSqliteTokenStore({ file: join(setup.dataFolder, 'tokens.db') });
}

/**
 * State of alerts, silences, outbox and notification log, with the leases that fence them. Several
 * processes may have them open: a silence is made beside a running Tollgate. Makes the folder where
 * it is missing, without holding it.
 */
export async function openAlertStores(setup: StoresSetup, deps: StoreDeps): Promise<AlertStores> {
  const { ledger } = setup.stores;
  const { openPostgresAlertStores, openSqliteAlertStores } = await import(
    './sql/open-alert-stores.ts'
  );
  if (!isEmbedded(ledger)) return openPostgresAlertStores(ledger, deps);
  await mkdir(setup.dataFolder, { recursive: true, mode: 0o700 });
  const { clock } = deps;
  return openSqliteAlertStores({ file: join(setup.dataFolder, 'alerts.db'), clock });
}
