import type { Transaction } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import type { Fence } from '../lease.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

/**
 * Refuses a transaction one of whose leases another holder has by now. The next one gets it only
 * after the transaction has ended, since the leases' rows are held until then.
 *
 * @throws AppError FENCED
 */
export async function checkFences(
  trx: Transaction<Pick<LedgerTables, 'lease'>>,
  fences: readonly Fence[],
  { rowLocks }: Pick<LedgerEngine, 'rowLocks'>,
): Promise<void> {
  if (fences.length === 0) return;
  const names = fences.map(({ name }) => name);
  const rows = await trx
    .selectFrom('lease')
    .select(['name', 'token'])
    .where('name', 'in', names)
    .$if(rowLocks, (query) => query.forShare())
    .execute();
  const newest = new Map(rows.map((row) => [row.name, BigInt(row.token)]));
  for (const { name, token } of fences) {
    if (newest.get(name) === token) continue;
    throw new AppError(
      'FENCED',
      `lease ${name} has token ${newest.get(name) ?? 'none'}, this write ${token}: another process has taken over`,
    );
  }
}

/** As checkFences, of one lease. */
export function checkFence(
  trx: Transaction<LedgerTables>,
  fence: Fence,
  engine: Pick<LedgerEngine, 'rowLocks'>,
): Promise<void> {
  return checkFences(trx as unknown as Transaction<Pick<LedgerTables, 'lease'>>, [fence], engine);
}
