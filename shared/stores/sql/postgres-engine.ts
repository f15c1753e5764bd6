import { type Kysely, sql } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { askShards, type LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { MonthPartitions } from './month-partitions.ts';
import { isRetryable } from './postgres-error.ts';

const ATTEMPTS_MAX = 12;
const RETRY_BASE_MS = 5;
const RETRY_CAP_MS = 500;

export interface RetryDeps {
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Does a transaction again while others are in its way.
 *
 * @throws AppError STORE_UNAVAILABLE when they still are after many attempts
 */
export async function retryTransaction<T>(
  attempt: () => Promise<T>,
  { clock, random }: RetryDeps,
): Promise<T> {
  const never = new AbortController().signal;
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (failures === ATTEMPTS_MAX) {
        throw new AppError(
          'STORE_UNAVAILABLE',
          `PostgreSQL: other writers were in the way ${ATTEMPTS_MAX} times; try again`,
          { cause: error },
        );
      }
      const wait = { baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS, random };
      await clock.sleep(backoffMs(failures, wait), never);
    }
  }
}

/** Many writers at once, in many processes. */
export function postgresEngine(db: Kysely<LedgerTables>, deps: RetryDeps): LedgerEngine {
  const partitions = new MonthPartitions(db);
  return {
    db,
    shards: askShards(db),
    monthly: true,
    rowLocks: true,
    // Each statement sees what was committed before it, a statement after a lock what its last
    // holder wrote: a snapshot of the whole transaction would be older than the lock.
    transact: (work, { serializable = false } = {}) =>
      retryTransaction(
        () =>
          db
            .transaction()
            .setIsolationLevel(serializable ? 'serializable' : 'read committed')
            .execute(work),
        deps,
      ),
    lock: async (trx, lock, mode = 'alone') => {
      const take = sql.raw(`pg_advisory_xact_lock${mode === 'shared' ? '_shared' : ''}`);
      await sql`SELECT ${take}(
        hashtextextended(current_schema() || '/tollgate/' || ${lock}::text, 0))`.execute(trx);
    },
    makeMonths: (table, times) => retryTransaction(() => partitions.make(table, times), deps),
  };
}
