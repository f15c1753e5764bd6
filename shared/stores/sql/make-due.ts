import type { Transaction } from 'kysely';
import type { Restatement } from '../ledger-writer.ts';
import type { LedgerTables } from './ledger-schema.ts';

/** Has the containers of applications that changed looked at again, wherever these belong. */
export async function makeDue(
  trx: Transaction<LedgerTables>,
  restatements: readonly Restatement[],
): Promise<void> {
  for (const { cluster, application, containers } of restatements) {
    const update = trx
      .updateTable('container')
      .set({ next_at: 0, charged_until: null })
      .where('cluster', '=', cluster)
      .where('application', '=', application);
    await (containers === 'all' ? update : update.where('coverage', '!=', 'exact')).execute();
    await trx
      .updateTable('application')
      .set((eb) => ({ restated: eb('restated', '+', 1) }))
      .where('cluster', '=', cluster)
      .where('application', '=', application)
      .execute();
  }
}
