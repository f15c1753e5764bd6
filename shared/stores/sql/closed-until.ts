import type { Kysely } from 'kysely';
import type { Instant } from '../../values/instant.ts';
import { monthEnd } from '../../values/month.ts';
import type { LedgerTables } from './ledger-schema.ts';

/** End of the last closed month, which closes all before it; undefined when none is closed. */
export async function closedUntil(
  db: Pick<Kysely<LedgerTables>, 'selectFrom'>,
): Promise<Instant | undefined> {
  const last = await db
    .selectFrom('period_close')
    .select('month')
    .orderBy('month', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last === undefined ? undefined : monthEnd(last.month);
}
