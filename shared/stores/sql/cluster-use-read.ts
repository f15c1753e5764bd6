import type { Kysely } from 'kysely';
import { addQuantity, NO_QUANTITY, type Quantity } from '../../contracts/charge.ts';
import { clipIntervals, quantityOf } from '../../rating/rate-interval.ts';
import { HOUR_MS, type Instant, utcHour } from '../../values/instant.ts';
import type { ClusterUse } from '../cluster-use-reader.ts';
import type { LedgerTables } from './ledger-schema.ts';

type Window = { readonly from: Instant; readonly until: Instant };

/** How the ids of an hour's charges begin: see chargeId. */
const idPrefix = (hour: Instant): string =>
  Math.ceil(hour / HOUR_MS)
    .toString(36)
    .padStart(5, '0');

/**
 * What containers held, by hour: the quantities of their charges, corrections included, and of
 * those that run what isn't charged yet.
 */
export async function readClusterUse(
  db: Kysely<LedgerTables>,
  cluster: string,
  window: Window,
): Promise<ClusterUse[]> {
  const hours = new Map<Instant, { quantity: Quantity; provisional: boolean }>();
  const add = (hour: Instant, quantity: Quantity, provisional: boolean): void => {
    const before = hours.get(hour) ?? { quantity: NO_QUANTITY, provisional: false };
    hours.set(hour, {
      quantity: addQuantity(before.quantity, quantity),
      provisional: before.provisional || provisional,
    });
  };
  const charged = await db
    .selectFrom('charge')
    .where('cluster', '=', cluster)
    // The id begins with the hour: SQLite finds rows by the one, PostgreSQL months by the other.
    .where('id', '>=', idPrefix(window.from))
    .where('id', '<', idPrefix(window.until))
    .where('hour', '>=', window.from)
    .where('hour', '<', window.until)
    .groupBy('hour')
    .select('hour')
    .select((eb) => [
      eb.fn.sum<bigint | string>('container_ms').as('container_ms'),
      eb.fn.sum<bigint | string>('millicore_ms').as('millicore_ms'),
      eb.fn.sum<bigint | string>('mib_ms').as('mib_ms'),
      eb.fn.sum<bigint | string>('gpu_ms').as('gpu_ms'),
    ])
    .execute();
  for (const row of charged) {
    const quantity = {
      containerMs: BigInt(row.container_ms),
      millicoreMs: BigInt(row.millicore_ms),
      mibMs: BigInt(row.mib_ms),
      gpuMs: BigInt(row.gpu_ms),
    };
    add(Number(row.hour), quantity, false);
  }
  for (const { hour, quantity } of await readAccruing(db, cluster, window)) {
    add(hour, quantity, true);
  }
  return [...hours].sort(([a], [b]) => a - b).map(([hour, use]) => ({ hour, ...use }));
}

/** Those that run are charged up to the hour of their last evidence. */
async function readAccruing(
  db: Kysely<LedgerTables>,
  cluster: string,
  window: Window,
): Promise<{ hour: Instant; quantity: Quantity }[]> {
  const running = await db
    .selectFrom('container')
    .select(['start', 'end', 'millicores', 'memory_mib', 'gpus'])
    .where('cluster', '=', cluster)
    .where('state', '=', 'running')
    .execute();
  return running.flatMap((row) => {
    const end = Number(row.end);
    const hour = utcHour(end);
    const resources = {
      millicores: Number(row.millicores),
      memoryMib: Number(row.memory_mib),
      gpus: Number(row.gpus),
    };
    const span = { start: Math.max(Number(row.start), hour), end, resources };
    return clipIntervals([span], { start: window.from, end: window.until }).map((piece) => ({
      hour,
      quantity: quantityOf(piece),
    }));
  });
}
