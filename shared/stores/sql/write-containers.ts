import type { Transaction } from 'kysely';
import type { Settlement } from '../ledger-writer.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 100;

/** Containers as they are settled now; the shard stays that of the first. */
export async function writeContainers(
  trx: Transaction<LedgerTables>,
  { shard, containers }: Settlement,
): Promise<void> {
  for (const chunk of inChunks(containers, CHUNK)) {
    await trx
      .insertInto('container')
      .values(
        chunk.map((state) => ({
          cluster: state.cluster,
          container: state.container,
          application: state.application,
          state: state.state,
          start: state.start,
          end: state.end,
          coverage: state.coverage,
          witnessed_until: state.witnessedUntil,
          millicores: state.resources.millicores,
          memory_mib: state.resources.memoryMib,
          gpus: state.resources.gpus,
          accrued: state.accrued,
          per_hour: state.perHour,
          charged_until: state.chargedUntil,
          next_at: state.nextAt ?? null,
          shard,
          attempt: state.attempt ?? '',
          outcome: state.outcome ?? '',
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['cluster', 'container']).doUpdateSet({
          application: (eb) => eb.ref('excluded.application'),
          state: (eb) => eb.ref('excluded.state'),
          start: (eb) => eb.ref('excluded.start'),
          end: (eb) => eb.ref('excluded.end'),
          coverage: (eb) => eb.ref('excluded.coverage'),
          witnessed_until: (eb) => eb.ref('excluded.witnessed_until'),
          millicores: (eb) => eb.ref('excluded.millicores'),
          memory_mib: (eb) => eb.ref('excluded.memory_mib'),
          gpus: (eb) => eb.ref('excluded.gpus'),
          accrued: (eb) => eb.ref('excluded.accrued'),
          per_hour: (eb) => eb.ref('excluded.per_hour'),
          charged_until: (eb) => eb.ref('excluded.charged_until'),
          next_at: (eb) => eb.ref('excluded.next_at'),
          attempt: (eb) => eb.ref('excluded.attempt'),
          outcome: (eb) => eb.ref('excluded.outcome'),
        }),
      )
      .execute();
  }
}
