import { Kysely, PostgresDialect, sql } from 'kysely';
import type { Clock } from '../../runtime/clock.ts';
import type { CheckpointStore } from '../checkpoint.ts';
import type { LeaseStore } from '../lease.ts';
import { type CheckpointTables, SqlCheckpointStore } from './checkpoint-store.ts';
import type { PostgresConfig } from './config.ts';
import { SqlLeaseStore } from './lease-store.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { type Ledger, ledgerPorts } from './open-ledger.ts';
import { postgresEngine, type RetryDeps } from './postgres-engine.ts';
import { type Connections, openPostgresPool } from './postgres-pool.ts';
import { openQuotaPool, postgresQuota } from './postgres-quota.ts';

/** A lease must be renewed while every other connection is busy; it takes few of its own. */
const LEASE_CONNECTIONS = 2;

/**
 * As openPostgresLedger, on pools that are there; closing the ledger closes them.
 *
 * @param quotaPool for quota checks alone
 */
export function ledgerOnPool(
  pool: Connections,
  deps: RetryDeps,
  quotaPool: Connections = pool,
): Ledger {
  const db = new Kysely<LedgerTables>({ dialect: new PostgresDialect({ pool }) });
  return {
    ...ledgerPorts(postgresEngine(db, deps), postgresQuota(quotaPool)),
    // Not through Kysely, which closes a pool only when it has used it.
    [Symbol.asyncDispose]: async () => {
      await Promise.all([pool.end(), quotaPool.end()]);
    },
  };
}

/**
 * Journal, price book, ledger and grants on PostgreSQL, for any number of processes. Connects when
 * it is first used; every call may reject with STORE_UNAVAILABLE, and works again once the server
 * answers.
 *
 * @throws AppError STORE_MISCONFIGURED when caFile can't be read
 */
export async function openPostgresLedger(config: PostgresConfig, deps: RetryDeps): Promise<Ledger> {
  return ledgerOnPool(openPostgresPool(config), deps, openQuotaPool(config));
}

export function checkpointsOnPool(
  pool: Connections,
  { clock }: { readonly clock: Clock },
): CheckpointStore {
  const db = new Kysely<CheckpointTables>({ dialect: new PostgresDialect({ pool }) });
  return new SqlCheckpointStore({ db, clock, leases: { rowLocks: true } });
}

export async function openPostgresCheckpointStore(
  config: PostgresConfig,
  deps: { readonly clock: Clock },
): Promise<CheckpointStore> {
  return checkpointsOnPool(openPostgresPool(config), deps);
}

export function leasesOnPool(pool: Connections): LeaseStore {
  const db = new Kysely<LedgerTables>({ dialect: new PostgresDialect({ pool }) });
  return new SqlLeaseStore({
    db: db as unknown as Kysely<Pick<LedgerTables, 'lease'>>,
    now: () => sql`floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`,
  });
}

/** Leases by the server's clock, in the schema of the ledger that they fence. */
export async function openPostgresLeaseStore(config: PostgresConfig): Promise<LeaseStore> {
  const poolSize = Math.min(config.poolSize, LEASE_CONNECTIONS);
  return leasesOnPool(openPostgresPool({ ...config, poolSize }));
}
