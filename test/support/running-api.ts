import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { quotesConfig } from '../../services/api/quotes/config.ts';
import { type ApiDeps, type AppParts, openDoors, startApi } from '../../services/api/start.ts';
import { DEFAULT_WITNESS_RULE } from '../../shared/intervals/witness-trust.ts';
import { NO_LIMITS } from '../../shared/rating/evaluate-limits.ts';
import { FULL_PRICE } from '../../shared/rating/outcome.ts';
import { Tariff } from '../../shared/rating/tariff.ts';
import { TariffBook } from '../../shared/rating/tariff-book.ts';
import { storesConfig } from '../../shared/stores/config.ts';
import type { LogWriter } from '../../shared/stores/log-store.ts';
import type { MetricWriter } from '../../shared/stores/metric-store.ts';
import {
  type AlertStores,
  type LedgerStores,
  openAlertStores,
  openDataFolder,
  openLedgerStores,
  openLogStoreReader,
  openLogStoreWriter,
  openMetricStoreReader,
  openMetricStoreWriter,
  openQuarantine,
  openTokenStore,
} from '../../shared/stores/open-stores.ts';
import type { TokenScope, TokenStore } from '../../shared/stores/token-store.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics, printMetrics } from '../../shared/telemetry/metrics.ts';
import { issueToken } from '../../shared/tokens/issue-token.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { DEFAULT_RATE_CARD } from '../../shared/values/rate-card.ts';
import { FakeClock } from './fake-clock.ts';

/** The API on real embedded stores in a folder of its own, at a time that stands still. */
export interface RunningApi extends AsyncDisposable {
  readonly url: string;
  readonly clock: FakeClock;
  readonly stores: LedgerStores;
  readonly alertStores: AlertStores;
  readonly logWriter: LogWriter;
  readonly metricWriter: MetricWriter;
  readonly deps: ApiDeps;
  readonly metrics: Metrics;
  readonly tokens: TokenStore;
  readonly doors: AppParts['doors'];
  /** The text of a new token; it is known to the API at once. */
  token(scopes: readonly TokenScope[], more?: TokenMore): Promise<string>;
  /** Answers of 2xx, checked against the schema that the API promises. */
  get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>>;
  post(path: string, body: unknown): Promise<Response>;
}

interface TokenMore {
  readonly projects?: readonly string[];
  readonly expiresAt?: number;
  readonly label?: string;
}

/** Checked strictly: the API promises no member that it doesn't describe. */
async function checked<S extends z.ZodType>(response: Response, schema: S): Promise<z.output<S>> {
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const json: unknown = JSON.parse(text);
  const parsed = schema.parse(json);
  assert.deepEqual(json, parsed, 'the answer has members that its schema lacks');
  return parsed;
}

interface ApiOptions {
  readonly deps?: Partial<ApiDeps>;
  readonly parts?: Partial<AppParts>;
  readonly now?: number;
  /** Asks for tokens, as a listener beyond loopback does. */
  readonly requireToken?: boolean;
}

export async function runningApi(options: ApiOptions = {}): Promise<RunningApi> {
  await using resources = new AsyncDisposableStack();
  const path = mkdtempSync(join(tmpdir(), 'tollgate-api-'));
  resources.defer(() => rmSync(path, { recursive: true, force: true }));
  const clock = new FakeClock(options.now);
  const folder = resources.use(await openDataFolder(path));
  const setup = { dataFolder: folder.path, process: '', stores: storesConfig.parse({}) };
  const stores = resources.use(await openLedgerStores(setup, { clock, random: () => 0 }));
  const alertStores = resources.use(await openAlertStores(setup, { clock, random: () => 0 }));
  const quarantine = resources.use(await openQuarantine(setup, () => {}));
  const metrics = new Metrics();
  const writing = { clock, random: () => 0, logger: silentLogger, metrics, quarantine };
  const logWriter = resources.use(await openLogStoreWriter(setup, writing));
  const metricWriter = resources.use(await openMetricStoreWriter(setup, writing));
  const deps: ApiDeps = {
    ledger: stores.ledgerReader,
    spending: stores.spending,
    prices: stores.priceWriter,
    journal: stores.journalReader,
    grants: stores.grants,
    periods: stores.periods,
    closeGraceMs: 72 * HOUR_MS,
    stopOrders: stores.stopOrders,
    ...{ alerts: alertStores.alerts, silences: alertStores.silences },
    enforcement: {
      store: alertStores.enforcement,
      policies: [
        {
          ...{ id: 'quota', version: 'v1', extendMs: HOUR_MS, extensionsMax: 2 },
          levels: ['notify', 'deny-new-work', 'kill'],
        },
      ],
      links: undefined,
    },
    deniedWork: () => undefined,
    reservations: stores.reservations,
    limitsOf: () => NO_LIMITS,
    priceFreezes: stores.priceFreezes,
    explanations: stores.explanations,
    metering: {
      tariff: new Tariff([{ card: DEFAULT_RATE_CARD, validFrom: 0 }]),
      poolOf: () => 'cpu',
      leaseMs: 600_000,
      witnessRule: DEFAULT_WITNESS_RULE,
      outcomePolicy: FULL_PRICE,
    },
    quotes: stores.quotes,
    workloads: stores.workloads,
    quoting: quotesConfig.parse({}),
    random: randomBytes,
    logs: resources.use(await openLogStoreReader(setup, writing)),
    metricStore: resources.use(await openMetricStoreReader(setup, writing)),
    quarantine,
    replay: async () => assert.fail('this test replays nothing'),
    tariffReplays: () => assert.fail('this test replays no tariff'),
    clusters: [{ id: 'yarn-1', type: 'yarn', pool: 'cpu', links: {} }],
    pools: ['cpu'],
    fixedSteps: new Map(),
    tariff: new TariffBook([{ card: DEFAULT_RATE_CARD, validFrom: 0 }]),
    creditPrice: () => undefined,
    isShadow: () => false,
    clock,
    startedAt: clock.now(),
    mode: 'start',
    version: '1.2.3',
    ...options.deps,
  };
  const tokens = resources.use(await openTokenStore(setup));
  const logger = options.parts?.logger ?? silentLogger;
  const asking = { store: tokens, clock, random: randomBytes, logger, metrics };
  const door = { host: '127.0.0.1', port: 0, requireToken: options.requireToken ?? false };
  const doors = resources.use(await openDoors(door, asking));
  const parts: AppParts = {
    logger,
    doors,
    webRoot: join(import.meta.dirname, '../../services/web'),
    moduleFiles: {},
    ingest: undefined,
    notReady: () => [],
    printMetrics: async () => printMetrics([metrics.snapshot()]),
    metrics,
    ...options.parts,
  };
  const api = resources.use(await startApi(door, deps, parts));
  const { url } = api;
  const open = resources.move();
  return {
    ...{ url, clock, stores, alertStores, logWriter, metricWriter, deps, metrics, tokens, doors },
    async token(scopes, { projects, ...more } = {}) {
      const { text } = await issueToken(asking, {
        ...{ label: 'test', createdAt: clock.now(), expiresAt: undefined, scopes, ...more },
        projects: projects as readonly ProjectId[] | undefined,
      });
      await clock.advance(2_000);
      return text;
    },
    get: async (address, schema) => checked(await fetch(url + address), schema),
    post: (address, body) =>
      fetch(url + address, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
