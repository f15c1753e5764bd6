import type { Kysely, Transaction } from 'kysely';
import type { Fence } from '../lease.ts';
import type { AlertTables } from './alert-schema.ts';
import { checkFences } from './check-fence.ts';
import type { LedgerTables } from './ledger-schema.ts';

/** One database that holds the alerter's tables, and how it does what SQL leaves open. */
export interface AlertEngine {
  readonly db: Kysely<AlertTables>;
  /** Others write at the same time, so that a row that must stay as it was read is locked. */
  readonly rowLocks: boolean;
  /** One transaction; done again when the engine says that another one was in the way. */
  transact<T>(work: (trx: Transaction<AlertTables>) => Promise<T>): Promise<T>;
}

/**
 * One transaction under a lease.
 *
 * @throws AppError FENCED when another holder has taken it
 */
export function transactFenced<T>(
  engine: AlertEngine,
  fence: Fence | undefined,
  work: (trx: Transaction<AlertTables>) => Promise<T>,
): Promise<T> {
  return engine.transact(async (trx) => {
    if (fence !== undefined) {
      const leases = trx as unknown as Transaction<Pick<LedgerTables, 'lease'>>;
      await checkFences(leases, [fence], engine);
    }
    return work(trx);
  });
}
