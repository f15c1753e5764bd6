import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { GrantStore } from './grant-store.ts';
import type { JournalReader, JournalWriter } from './journal.ts';
import type { LedgerReader } from './ledger-reader.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { LogReader, LogWriter } from './log-store.ts';
import type { MetricReader, MetricWriter } from './metric-store.ts';
import type { PriceWriter } from './price-book.ts';
import type { ProjectLookup } from './project-lookup.ts';
import type { Quarantine } from './quarantine.ts';
import { lockFolder } from './sql/folder-lock.ts';
import { openLedgerProjectLookup } from './sql/ledger-project-lookup.ts';
import type { LogLimits } from './sql/log-limits.ts';
import { openLogReader } from './sql/log-reader.ts';
import { openLogWriter } from './sql/log-writer.ts';
import type { MetricLimits } from './sql/metric-limits.ts';
import { openMetricReader } from './sql/metric-reader.ts';
import { openMetricWriter } from './sql/metric-writer.ts';
import { openLedger } from './sql/open-ledger.ts';
import { openQuarantine as openSqliteQuarantine } from './sql/quarantine-store.ts';
import { openSqliteTokenStore } from './sql/token-store.ts';
import type { TokenStore } from './token-store.ts';

/**
 * The one place that chooses adapters. Everything of the embedded engine lies in one data folder:
 * `ledger.db` (journal, ledger, prices), `quarantine.db`, `tokens.db`, `logs/` and `metrics/` (files a
 * day).
 */
export interface DataFolder {
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
}

const ledgerFile = (folder: DataFolder): string => join(folder.path, 'ledger.db');
const logFolder = (folder: DataFolder): string => join(folder.path, 'logs');
const metricFolder = (folder: DataFolder): string => join(folder.path, 'metrics');

/**
 * Makes the folder where it is missing, readable by its owner only, and holds it for this process.
 *
 * @throws AppError CONFLICT when another process holds it
 */
export async function openDataFolder(path: string): Promise<DataFolder & Disposable> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = lockFolder(path);
  return { path, [Symbol.dispose]: () => lock[Symbol.dispose]() };
}

export function openLedgerStores(
  folder: DataFolder,
  options: { readonly readOnly?: boolean } = {},
): Promise<LedgerStores> {
  return openLedger({ file: ledgerFile(folder), ...options });
}

export function openProjectLookup(folder: DataFolder, clock: Clock): ProjectLookup {
  return openLedgerProjectLookup(ledgerFile(folder), clock);
}

export function openMetricStoreWriter(
  folder: DataFolder,
  deps: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly limits?: Partial<MetricLimits>;
  },
): Promise<MetricWriter> {
  return openMetricWriter({ folder: metricFolder(folder), ...deps });
}

export function openMetricStoreReader(folder: DataFolder): Promise<MetricReader> {
  return openMetricReader({ folder: metricFolder(folder) });
}

export function openLogStoreWriter(
  folder: DataFolder,
  deps: { readonly clock: Clock; readonly logger: Logger; readonly limits?: Partial<LogLimits> },
): Promise<LogWriter> {
  return openLogWriter({ folder: logFolder(folder), ...deps });
}

export function openLogStoreReader(folder: DataFolder): Promise<LogReader> {
  return openLogReader({ folder: logFolder(folder) });
}

/** @param onEvicted hears how many records went because it was full */
export function openQuarantine(
  folder: DataFolder,
  onEvicted: (records: number) => void,
): Promise<Quarantine> {
  return openSqliteQuarantine({ file: join(folder.path, 'quarantine.db'), onEvicted });
}

/**
 * API tokens. Unlike the other files this one is written by several processes: `tollgate token`
 * beside a running Tollgate. Makes the folder where it is missing, without holding it.
 */
export async function openTokenStore(folder: DataFolder): Promise<TokenStore> {
  await mkdir(folder.path, { recursive: true, mode: 0o700 });
  return openSqliteTokenStore({ file: join(folder.path, 'tokens.db') });
}
