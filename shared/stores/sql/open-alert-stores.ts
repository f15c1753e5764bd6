import { Kysely, PostgresDialect, sql } from 'kysely';
import type { Clock } from '../../runtime/clock.ts';
import type { AlertStore } from '../alert-store.ts';
import type { EnforcementStore } from '../enforcement-store.ts';
import type { LeaseStore } from '../lease.ts';
import type { NotificationLog } from '../notification-log.ts';
import type { OutboxStore } from '../outbox-store.ts';
import type { SilenceStore } from '../silence-store.ts';
import type { AlertEngine } from './alert-engine.ts';
import { ALERT_SCHEMA, type AlertTables } from './alert-schema.ts';
import { SqlAlertStore } from './alert-store.ts';
import type { PostgresConfig } from './config.ts';
import { SqlEnforcementStore } from './enforcement-store.ts';
import { SqlLeaseStore } from './lease-store.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { SqlNotificationLog } from './notification-log.ts';
import { leasesOnPool } from './open-postgres-ledger.ts';
import { openSqlite } from './open-sqlite.ts';
import { SqlOutboxStore } from './outbox-store.ts';
import { type RetryDeps, retryTransaction } from './postgres-engine.ts';
import { type Connections, openPostgresPool } from './postgres-pool.ts';
import { SqlSilenceStore } from './silence-store.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

/** A lease must be renewed while every other connection is busy. */
const LEASE_CONNECTIONS = 2;

/** What the alerter keeps, in one database; closed as a whole. */
export interface AlertStores extends AsyncDisposable {
  readonly alerts: AlertStore;
  readonly outbox: OutboxStore;
  readonly silences: SilenceStore;
  readonly notificationLog: NotificationLog;
  readonly enforcement: EnforcementStore;
  /** In the same database, so that they fence what is written there. */
  readonly leases: LeaseStore;
}

/** Every part of the alerter that keeps something beside the alerts is built here. */
function alertPorts(engine: AlertEngine): Omit<AlertStores, 'leases' | typeof Symbol.asyncDispose> {
  return {
    alerts: new SqlAlertStore(engine),
    outbox: new SqlOutboxStore(engine),
    silences: new SqlSilenceStore(engine),
    notificationLog: new SqlNotificationLog(engine),
    enforcement: new SqlEnforcementStore(engine),
  };
}

/**
 * In a SQLite file of its own, which several processes may have open at once.
 *
 * @param options.file path, or `:memory:` for tests
 * @param options.clock the file has none of its own: all holders' of leases must agree
 * @throws AppError STORE_UNAVAILABLE or DISK_FULL
 */
export function openSqliteAlertStores(options: {
  readonly file: string;
  readonly clock: Clock;
}): AlertStores {
  const { file, clock } = options;
  const database = openSqlite({ file, schema: ALERT_SCHEMA });
  const db = new Kysely<AlertTables>({ dialect: sqliteDialect(database, file) });
  return {
    ...alertPorts({ db, rowLocks: false, transact: (work) => db.transaction().execute(work) }),
    leases: new SqlLeaseStore({
      db: db as unknown as Kysely<Pick<LedgerTables, 'lease'>>,
      now: () => sql.lit(clock.now()),
    }),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

/** As openPostgresAlertStores, on pools that are there; closing the stores closes them. */
export function alertStoresOnPool(
  pool: Connections,
  deps: RetryDeps,
  leasePool: Connections = pool,
): AlertStores {
  const db = new Kysely<AlertTables>({ dialect: new PostgresDialect({ pool }) });
  return {
    ...alertPorts({
      db,
      rowLocks: true,
      transact: (work) =>
        retryTransaction(
          () => db.transaction().setIsolationLevel('read committed').execute(work),
          deps,
        ),
    }),
    leases: leasesOnPool(leasePool),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([pool.end(), leasePool.end()]);
    },
  };
}

/** Beside the ledger on PostgreSQL, for any number of processes; leases by the server's clock. */
export function openPostgresAlertStores(config: PostgresConfig, deps: RetryDeps): AlertStores {
  const leasePool = { ...config, poolSize: Math.min(config.poolSize, LEASE_CONNECTIONS) };
  return alertStoresOnPool(openPostgresPool(config), deps, openPostgresPool(leasePool));
}
