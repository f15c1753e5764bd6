import type { Transaction } from 'kysely';
import type { Instant } from '../../values/instant.ts';
import type { ApplicationState } from '../ledger-writer.ts';
import { RESERVATION_TAG } from '../reservation-store.ts';
import { type ApplicationRow, applicationStateOf } from './application-row.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { addReserved, type ReservedChange } from './reserved-sums.ts';

type Trx = Transaction<LedgerTables>;

const CHUNK = 100;

interface Cost {
  readonly charged: string;
  readonly accrued: string;
  readonly start: number | bigint;
}

/** An application as a settlement has just written it. */
interface SettledRow {
  readonly cluster: string;
  readonly application: string;
  readonly project: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Before the settlement; undefined when it wasn't there, or was another project's. */
  readonly before: Cost | undefined;
}

/** What a settlement works on; facts without news are those of the row. */
interface SettledWork {
  readonly before: ApplicationRow | undefined;
  readonly state: ApplicationState | undefined;
}

/** The applications of a settlement as they stand after it. */
export function settledRows(works: Iterable<SettledWork>): SettledRow[] {
  return [...works].flatMap(({ before, state }) => {
    const now = state ?? (before && applicationStateOf(before));
    if (now === undefined) return [];
    const { cluster, application, project, tags } = now;
    // What it had cost another project was in no balance that admitted a hold of this one.
    const own = before?.project === project ? before : undefined;
    return [{ cluster, application, project, tags, before: own }];
  });
}

/**
 * What an application had cost when it came under a reservation: that much was in the balance which
 * admitted the hold. Nothing of one that started afterwards.
 */
export function spentBefore(cost: Cost | undefined, heldAt: Instant): string {
  if (cost === undefined || Number(cost.start) >= heldAt) return '0';
  return `${BigInt(cost.charged) + BigInt(cost.accrued)}`;
}

const max = <T extends bigint | number>(a: T, b: T): T => (a > b ? a : b);

/**
 * Brings reservations to what their applications have cost by now, in the transaction that changed
 * it. What is charged under a reservation is taken from what it holds, so that it counts once.
 *
 * @returns how the sum of what the project's reservations hold changes; the caller holds its row
 */
export async function recomputeSpending(
  trx: Trx,
  project: string,
  ids: readonly string[],
): Promise<ReservedChange> {
  const rows = await trx
    .selectFrom('reservation')
    .selectAll()
    .where('project', '=', project)
    .where('id', 'in', ids)
    .execute();
  const links = await trx
    .selectFrom('reservation_application as link')
    .innerJoin('application', (join) =>
      join
        .onRef('application.cluster', '=', 'link.cluster')
        .onRef('application.application', '=', 'link.application')
        // One that has turned out to be another project's spends nothing of this one.
        .onRef('application.project', '=', 'link.project'),
    )
    .select(['link.reservation', 'link.spent_before', 'application.charged'])
    .select(['application.accrued', 'application.millicores'])
    .where('link.project', '=', project)
    .where('link.reservation', 'in', ids)
    .execute();
  let [credits, millicores] = [0n, 0];
  for (const row of rows) {
    const own = links.filter(({ reservation }) => reservation === row.id);
    const spent = own.reduce(
      (sum, one) => sum + BigInt(one.charged) + BigInt(one.accrued) - BigInt(one.spent_before),
      0n,
    );
    const running = own.reduce((sum, one) => sum + Number(one.millicores), 0);
    const isHeld = row.state === 'held';
    // A refund under it doesn't make it hold more than was admitted.
    const pending = isHeld ? max(0n, BigInt(row.held) - max(0n, spent)) : 0n;
    const cores = isHeld ? max(0, Number(row.millicores) - running) : 0;
    credits += pending - BigInt(row.pending);
    millicores += cores - Number(row.pending_millicores);
    await trx
      .updateTable('reservation')
      .set({
        ...{ spent: `${spent}`, running_millicores: running },
        ...{ pending, pending_millicores: cores },
      })
      .where('project', '=', project)
      .where('id', '=', row.id)
      .execute();
  }
  return { credits, millicores };
}

/** Applications that name a reservation of their project run under it from now on. */
async function linkTagged(trx: Trx, rows: readonly SettledRow[]): Promise<void> {
  for (const row of rows) {
    const id = row.tags[RESERVATION_TAG];
    if (id === undefined) continue;
    const reservation = await trx
      .selectFrom('reservation')
      .select('created_at')
      .where('project', '=', row.project)
      .where('id', '=', id)
      .executeTakeFirst();
    if (reservation === undefined) continue;
    await trx
      .insertInto('reservation_application')
      .values({
        cluster: row.cluster,
        application: row.application,
        project: row.project,
        reservation: id,
        spent_before: spentBefore(row.before, Number(reservation.created_at)),
      })
      .onConflict((conflict) => conflict.columns(['cluster', 'application', 'project']).doNothing())
      .execute();
  }
}

/**
 * What a settlement changes of reservations. It comes last, when the rows of all its projects are
 * locked.
 *
 * @param locked projects whose rows the transaction holds
 */
export async function spendReservations(
  trx: Trx,
  rows: readonly SettledRow[],
  locked: ReadonlySet<string>,
): Promise<void> {
  await linkTagged(trx, rows);
  const touched = new Map<string, Set<string>>();
  for (const [cluster, members] of Map.groupBy(rows, (row) => row.cluster)) {
    for (const chunk of inChunks(members, CHUNK)) {
      const links = await trx
        .selectFrom('reservation_application')
        .select(['project', 'reservation'])
        .where('cluster', '=', cluster)
        .where(
          'application',
          'in',
          chunk.map(({ application }) => application),
        )
        .execute();
      for (const { project, reservation } of links) {
        // Of a project that the application left before, nothing changes.
        if (!locked.has(project)) continue;
        touched.set(project, (touched.get(project) ?? new Set()).add(reservation));
      }
    }
  }
  for (const [project, ids] of [...touched].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const chunk of inChunks([...ids], CHUNK)) {
      await addReserved(trx, project, await recomputeSpending(trx, project, chunk));
    }
  }
}
