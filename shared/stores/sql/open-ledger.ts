import { Kysely } from 'kysely';
import type { ApplicationWatch } from '../application-watch.ts';
import type { ExplanationReader } from '../explanation-reader.ts';
import type { GrantStore } from '../grant-store.ts';
import type { JournalReader, JournalWriter } from '../journal.ts';
import type { LedgerReader } from '../ledger-reader.ts';
import type { LedgerWriter } from '../ledger-writer.ts';
import type { LevelStore } from '../level-store.ts';
import type { PeriodStore } from '../period-store.ts';
import type { PriceWriter } from '../price-book.ts';
import type { PriceFreezeStore } from '../price-freezes.ts';
import type { QuoteStore } from '../quote-store.ts';
import type { ReplayReader } from '../replay-reader.ts';
import type { ReservationStore } from '../reservation-store.ts';
import type { SpendingReader } from '../spending-reader.ts';
import type { StopOrderStore } from '../stop-orders.ts';
import type { UsageStore } from '../usage-store.ts';
import type { WorkloadReader } from '../workload-reader.ts';
import { SqlApplicationWatch } from './application-watch.ts';
import { SqlExplanationReader } from './explanation-reader.ts';
import { SqlJournalReader } from './journal-reader.ts';
import { SqlJournalWriter } from './journal-writer.ts';
import { type LedgerEngine, sqliteEngine } from './ledger-engine.ts';
import { SqlGrantStore } from './ledger-grants.ts';
import { SqlPriceBook } from './ledger-prices.ts';
import { prepareQuotaRead } from './ledger-quota.ts';
import { SqlLedgerReader } from './ledger-reader.ts';
import { SqlReservationStore } from './ledger-reservations.ts';
import { LEDGER_SCHEMA, type LedgerTables } from './ledger-schema.ts';
import { SqlUsageStore } from './ledger-usage.ts';
import { SqlLedgerWriter } from './ledger-writer.ts';
import { SqlLevelStore } from './level-store.ts';
import { openSqlite } from './open-sqlite.ts';
import { SqlPeriodStore } from './period-store.ts';
import { SqlPriceFreezes } from './price-freezes.ts';
import { SqlQuoteStore } from './quote-store.ts';
import { SqlReplayReader } from './replay-reader.ts';
import { SqlSpendingReader } from './spending-reader.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { SqlStopOrders } from './stop-orders.ts';
import { SqlWorkloadReader } from './workload-reader.ts';

/**
 * The journal and the ledger: one file, since what is charged and the facts it follows from must
 * stand or fall together. The ports share one connection, which closing the ledger closes; closing
 * a port does nothing.
 */
export interface Ledger extends AsyncDisposable {
  readonly journalWriter: JournalWriter;
  readonly journalReader: JournalReader;
  readonly ledgerWriter: LedgerWriter;
  readonly ledgerReader: LedgerReader;
  readonly spending: SpendingReader;
  readonly priceWriter: PriceWriter;
  readonly grants: GrantStore;
  readonly periods: PeriodStore;
  readonly levels: LevelStore;
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

/** The ports of a ledger, whatever engine it is stored in. */
export function ledgerPorts(
  engine: LedgerEngine,
  quota: LedgerReader['quota'],
): Omit<Ledger, typeof Symbol.asyncDispose> {
  return {
    journalWriter: new SqlJournalWriter(engine),
    journalReader: new SqlJournalReader(engine),
    ledgerWriter: new SqlLedgerWriter(engine),
    ledgerReader: new SqlLedgerReader(engine.db, quota),
    spending: new SqlSpendingReader(engine.db),
    priceWriter: new SqlPriceBook(engine),
    grants: new SqlGrantStore(engine),
    periods: new SqlPeriodStore(engine),
    levels: new SqlLevelStore(engine),
    stopOrders: new SqlStopOrders(engine),
    reservations: new SqlReservationStore(engine),
    usage: new SqlUsageStore(engine),
    priceFreezes: new SqlPriceFreezes(engine),
    explanations: new SqlExplanationReader(engine.db),
    replay: new SqlReplayReader(engine.db),
    quotes: new SqlQuoteStore(engine),
    workloads: new SqlWorkloadReader(engine.db),
    applicationWatch: new SqlApplicationWatch(engine.db),
  };
}

/**
 * @param options.readOnly needs a file that a writer has made; every write then fails
 * @param options.walKept a thread of this process runs `keepStores`
 * @throws AppError STORE_UNAVAILABLE or DISK_FULL
 */
export async function openLedger(options: {
  readonly file: string;
  readonly readOnly?: boolean;
  readonly walKept?: boolean;
}): Promise<Ledger> {
  const { file, readOnly = false, walKept = false } = options;
  const database = openSqlite({ file, schema: LEDGER_SCHEMA, readOnly, walKept });
  const db = new Kysely<LedgerTables>({ dialect: sqliteDialect(database, file) });
  const engine = sqliteEngine(db);
  return {
    ...ledgerPorts(engine, prepareQuotaRead(database)),
    [Symbol.asyncDispose]: async () => {
      await db.destroy();
      if (database.isOpen) database.close();
    },
  };
}
