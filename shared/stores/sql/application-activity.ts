import type { Kysely } from 'kysely';
import type { ApplicationActivity } from '../../contracts/container-fact.ts';
import { applicationKey } from '../journal.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';

const NAMES_MAX = 500;

/**
 * Activity of applications by applicationKey, summed over their attempts, which leaves the five
 * parts adding up to the whole.
 */
export async function applicationActivity(
  db: Kysely<LedgerTables>,
  applications: readonly { readonly cluster: string; readonly application: string }[],
): Promise<Map<string, ApplicationActivity>> {
  const sums = new Map<string, ApplicationActivity>();
  for (const [cluster, members] of Map.groupBy(applications, (one) => one.cluster)) {
    const names = members.map(({ application }) => application);
    for (const some of inChunks(names, NAMES_MAX)) {
      const stored = await db
        .selectFrom('activity')
        .selectAll()
        .where('cluster', '=', cluster)
        .where('application', 'in', some)
        .orderBy('attempt')
        .execute();
      for (const row of stored) {
        const sum = sums.get(applicationKey(row));
        sums.set(applicationKey(row), {
          cluster,
          application: row.application,
          attempt: row.attempt,
          at: Math.max(sum?.at ?? Number.NEGATIVE_INFINITY, Number(row.at)),
          slotMs: (sum?.slotMs ?? 0) + Number(row.slot_ms),
          usefulMs: (sum?.usefulMs ?? 0) + Number(row.useful_ms),
          wastedMs: (sum?.wastedMs ?? 0) + Number(row.wasted_ms),
          idleMs: (sum?.idleMs ?? 0) + Number(row.idle_ms),
          tailMs: (sum?.tailMs ?? 0) + Number(row.tail_ms),
          startUpMs: (sum?.startUpMs ?? 0) + Number(row.start_up_ms),
        });
      }
    }
  }
  return sums;
}
