import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { type ApiDeps, type AppParts, startApi } from '../../services/api/start.ts';
import type { LogWriter } from '../../shared/stores/log-store.ts';
import type { MetricWriter } from '../../shared/stores/metric-store.ts';
import { storesConfig } from '../../shared/stores/config.ts';
import {
  type LedgerStores,
  openDataFolder,
  openLedgerStores,
  openLogStoreReader,
  openLogStoreWriter,
  openMetricStoreReader,
  openMetricStoreWriter,
  openQuarantine,
} from '../../shared/stores/open-stores.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics, printMetrics } from '../../shared/telemetry/metrics.ts';
import { DEFAULT_RATE_CARD } from '../../shared/values/rate-card.ts';
import { FakeClock } from './fake-clock.ts';

/** The API on real embedded stores in a folder of its own, at a time that stands still. */
export interface RunningApi extends AsyncDisposable {
  readonly url: string;
  readonly clock: FakeClock;
  readonly stores: LedgerStores;
  readonly logWriter: LogWriter;
  readonly metricWriter: MetricWriter;
  readonly deps: ApiDeps;
  readonly metrics: Metrics;
  /** Answers of 2xx, checked against the schema that the API promises. */
  get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>>;
  post(path: string, body: unknown): Promise<Response>;
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

export async function runningApi(
  options: { deps?: Partial<ApiDeps>; parts?: Partial<AppParts>; now?: number } = {},
): Promise<RunningApi> {
  await using resources = new AsyncDisposableStack();
  const path = mkdtempSync(join(tmpdir(), 'tollgate-api-'));
  resources.defer(() => rmSync(path, { recursive: true, force: true }));
  const clock = new FakeClock(options.now);
  const folder = resources.use(await openDataFolder(path));
  const setup = { dataFolder: folder.path, stores: storesConfig.parse({}) };
  const stores = resources.use(await openLedgerStores(setup, { clock, random: () => 0 }));
  const writing = { clock, logger: silentLogger };
  const logWriter = resources.use(await openLogStoreWriter(setup, writing));
  const metricWriter = resources.use(await openMetricStoreWriter(setup, writing));
  const metrics = new Metrics();
  const deps: ApiDeps = {
    ledger: stores.ledgerReader,
    prices: stores.priceWriter,
    journal: stores.journalReader,
    grants: stores.grants,
    logs: resources.use(await openLogStoreReader(setup)),
    metricStore: resources.use(await openMetricStoreReader(setup)),
    quarantine: resources.use(await openQuarantine(setup, () => {})),
    replay: async () => assert.fail('this test replays nothing'),
    clusters: [{ id: 'yarn-1', type: 'yarn', pool: 'cpu', links: {} }],
    pools: ['cpu'],
    rateCard: DEFAULT_RATE_CARD,
    clock,
    startedAt: clock.now(),
    mode: 'start',
    version: '1.2.3',
    ...options.deps,
  };
  const parts: AppParts = {
    logger: silentLogger,
    webRoot: join(import.meta.dirname, '../../services/web'),
    moduleFiles: {},
    ingest: undefined,
    notReady: () => [],
    printMetrics: async () => printMetrics([metrics.snapshot()]),
    metrics,
    ...options.parts,
  };
  const api = resources.use(await startApi({ host: '127.0.0.1', port: 0 }, deps, parts));
  const { url } = api;
  const open = resources.move();
  return {
    ...{ url, clock, stores, logWriter, metricWriter, deps, metrics },
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
