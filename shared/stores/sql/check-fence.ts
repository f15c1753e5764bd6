import type { Transaction } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import type { Fence } from '../lease.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

/**
 * Refuses a transaction whose lease another holder has by now. The next one gets it only after the
 * transaction has ended, since the lease's row is held until then.
 *
 * @throws AppError FENCED
 */
export async function checkFence(
  trx: Transaction<LedgerTables>,
  { name, token }: Fence,
  { rowLocks }: Pick<LedgerEngine, 'rowLocks'>,
): Promise<void> {
  const row = await trx
    .selectFrom('lease')
    .select('token')
    .where('name', '=', name)
    .$if(rowLocks, (query) => query.forShare())
    .executeTakeFirst();
  const newest = row === undefined ? undefined : BigInt(row.token);
  if (newest === token) return;
  throw new AppError(
    'FENCED',
    `lease ${name} has token ${newest ?? 'none'}, this write ${token}: another process has taken over`,
  );
}
