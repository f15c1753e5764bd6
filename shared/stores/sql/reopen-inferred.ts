import type { Transaction } from 'kysely';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 100;

/**
 * Makes those of the containers due whose end was inferred and that have been seen since. Evidence is no fact and has no place in the journal's order, so that whoever comes second,
 * the evidence or the settlement, does this in its own transaction.
 */
export async function reopenInferred(
  trx: Transaction<LedgerTables>,
  refs: readonly { readonly cluster: string; readonly container: string }[],
): Promise<void> {
  for (const [cluster, members] of Map.groupBy(refs, (ref) => ref.cluster)) {
    for (const chunk of inChunks(members, CHUNK)) {
      await trx
        .updateTable('container')
        .set({ next_at: 0, charged_until: null })
        .where('cluster', '=', cluster)
        .where(
          'container',
          'in',
          chunk.map(({ container }) => container),
        )
        .where('coverage', '=', 'inferred')
        .where('witnessed_until', '<', (eb) =>
          eb
            .selectFrom('evidence')
            .select('evidence.until')
            .whereRef('evidence.cluster', '=', 'container.cluster')
            .whereRef('evidence.container', '=', 'container.container'),
        )
        .execute();
    }
  }
}
