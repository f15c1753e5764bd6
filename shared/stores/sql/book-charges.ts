import type { Transaction } from 'kysely';
import { bookedMonth, type Charge } from '../../contracts/charge.ts';
import { AppError } from '../../errors/app-error.ts';
import type { Instant } from '../../values/instant.ts';
import { monthStart } from '../../values/month.ts';
import { closedUntil } from './closed-until.ts';
import { insertCharges } from './insert-charges.ts';
import type { LedgerTables } from './ledger-schema.ts';

/**
 * Appends rows of the ledger to books that are open. The caller shares the lock `books`.
 *
 * @param asOf up to when the shard was settled before: no row of it is stored earlier, so that what
 *   was stored by then is known then, whatever the clocks of meters say
 * @returns those that were not there before
 * @throws AppError CONFLICT when an id is there with another body, and for a new row in the books of
 *   a month that was closed meanwhile
 */
export async function bookCharges(
  trx: Transaction<LedgerTables>,
  charges: readonly Charge[],
  asOf: Instant,
): Promise<Charge[]> {
  const inserted = await insertCharges(
    trx,
    charges.map((row) => (row.storedAt < asOf ? { ...row, storedAt: asOf } : row)),
  );
  const closed = inserted.length === 0 ? undefined : await closedUntil(trx);
  if (closed === undefined) return inserted;
  for (const row of inserted) {
    if ((row.booked === undefined ? row.hour : monthStart(row.booked)) >= closed) continue;
    throw new AppError(
      'CONFLICT',
      `charge ${row.id} would change ${bookedMonth(row)}, which is closed; read again and book it ` +
        'later',
    );
  }
  return inserted;
}
