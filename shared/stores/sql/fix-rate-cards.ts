import type { Transaction } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import type { Instant } from '../../values/instant.ts';
import type { FixedRateCard } from '../ledger-writer.ts';
import type { LedgerTables } from './ledger-schema.ts';

/** @throws AppError CONFIG_INVALID, which ends the transaction */
export async function fixRateCards(
  trx: Transaction<LedgerTables>,
  cards: readonly FixedRateCard[],
  at: Instant,
): Promise<void> {
  if (cards.length === 0) return;
  await trx
    .insertInto('rate_card')
    .values(cards.map(({ id, body }) => ({ id, body, fixed_at: at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const ids = cards.map(({ id }) => id);
  const rows = await trx.selectFrom('rate_card').selectAll().where('id', 'in', ids).execute();
  const kept = new Map(rows.map(({ id, body }) => [id, body]));
  const changed = cards.filter(({ id, body }) => kept.get(id) !== body);
  if (changed.length === 0) return;
  const each = changed.map(({ id, body }) => `${id}: ${kept.get(id)} became ${body}`);
  throw new AppError(
    'CONFIG_INVALID',
    `rate cards by which was charged have other rates now; give these another id, and keep the old ` +
      `ones in metering.earlierRateCards:\n  ${each.join('\n  ')}`,
  );
}
