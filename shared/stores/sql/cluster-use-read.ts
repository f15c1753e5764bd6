import type { Kysely } from 'kysely';
import { addQuantity, NO_QUANTITY, type Quantity } from '../../contracts/charge.ts';
import { clipIntervals, quantityOf } from '../../rating/rate-interval.ts';
import { HOUR_MS, type Instant, utcHour } from '../../values/instant.ts';
import { UNATTRIBUTED } from '../../values/project-id.ts';
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
  const hours = new Map<Instant, Omit<ClusterUse, 'hour'>>();
  const add = ({ hour, ...use }: ClusterUse): void => {
    const before = hours.get(hour);
    hours.set(hour, {
      quantity: addQuantity(before?.quantity ?? NO_QUANTITY, use.quantity),
      unallocated: addQuantity(before?.unallocated ?? NO_QUANTITY, use.unallocated),
      provisional: use.provisional || (before?.provisional ?? false),
    });
  };
  for (const use of await readCharged(db, cluster, window)) add(use);
  for (const use of await readAccruing(db, cluster, window)) add(use);
  return [...hours].sort(([a], [b]) => a - b).map(([hour, use]) => ({ hour, ...use }));
}

const MEASURES = ['container_ms', 'millicore_ms', 'mib_ms', 'gpu_ms'] as const;
type Sums = Readonly<Record<(typeof MEASURES)[number], bigint | string>>;

function quantityOfSums(sums: Sums): Quantity {
  return {
    containerMs: BigInt(sums.container_ms),
    millicoreMs: BigInt(sums.millicore_ms),
    mibMs: BigInt(sums.mib_ms),
    gpuMs: BigInt(sums.gpu_ms),
  };
}

async function readCharged(
  db: Kysely<LedgerTables>,
  cluster: string,
  window: Window,
): Promise<ClusterUse[]> {
  const rows = db
    .selectFrom('charge')
    .where('cluster', '=', cluster)
    // The id begins with the hour: SQLite finds rows by the one, PostgreSQL months by the other.
    .where('id', '>=', idPrefix(window.from))
    .where('id', '<', idPrefix(window.until))
    .where('hour', '>=', window.from)
    .where('hour', '<', window.until)
    .groupBy('hour')
    .select('hour')
    .select((eb) => MEASURES.map((name) => eb.fn.sum<bigint | string>(name).as(name)));
  const charged = await rows.execute();
  const nobodys = await rows.where('project', '=', UNATTRIBUTED).execute();
  const unallocated = new Map(nobodys.map((row) => [row.hour, quantityOfSums(row)]));
  return charged.map((row) => ({
    hour: Number(row.hour),
    quantity: quantityOfSums(row),
    unallocated: unallocated.get(row.hour) ?? NO_QUANTITY,
    provisional: false,
  }));
}

/** Those that run are charged up to the hour of their last evidence. */
async function readAccruing(
  db: Kysely<LedgerTables>,
  cluster: string,
  window: Window,
): Promise<ClusterUse[]> {
  const running = await db
    .selectFrom('container')
    .leftJoin('application', (join) =>
      join
        .onRef('application.cluster', '=', 'container.cluster')
        .onRef('application.application', '=', 'container.application'),
    )
    .select(['container.start', 'end', 'container.millicores', 'container.memory_mib'])
    .select(['container.gpus', 'application.project'])
    .where('container.cluster', '=', cluster)
    .where('container.state', '=', 'running')
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
    return clipIntervals([span], { start: window.from, end: window.until }).map((piece) => {
      const quantity = quantityOf(piece);
      const unallocated = row.project === UNATTRIBUTED ? quantity : NO_QUANTITY;
      return { hour, quantity, unallocated, provisional: true };
    });
  });
}
