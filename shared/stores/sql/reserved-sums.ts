import type { Transaction } from 'kysely';
import type { Instant } from '../../values/instant.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

type Trx = Transaction<LedgerTables>;

const CHUNK = 100;

/** How what reservations hold of a project changes. */
export interface ReservedChange {
  readonly credits: bigint;
  readonly millicores: number;
}

/**
 * Locks the rows of projects, in the order of their names, as whoever writes balances does: all that
 * is written of a project's reservations is written under this lock, so that their sums in the row
 * are exact.
 */
export async function lockBalances(
  trx: Trx,
  projects: readonly string[],
  { rowLocks }: Pick<LedgerEngine, 'rowLocks'>,
) {
  const sorted = [...new Set(projects)].sort();
  const rows = [];
  for (const chunk of inChunks(sorted, CHUNK)) {
    const some = await trx
      .selectFrom('balance')
      .selectAll()
      .where('project', 'in', chunk)
      .$if(rowLocks, (query) => query.orderBy('project').forUpdate())
      .execute();
    rows.push(...some);
  }
  return rows;
}

/** Adds to what a project's reservations hold; the caller holds the row. */
export async function addReserved(
  trx: Trx,
  project: string,
  { credits, millicores }: ReservedChange,
): Promise<void> {
  if (credits === 0n && millicores === 0) return;
  const row = await trx
    .selectFrom('balance')
    .select(['reserved', 'reserved_millicores'])
    .where('project', '=', project)
    .executeTakeFirstOrThrow();
  await trx
    .updateTable('balance')
    .set({
      reserved: `${BigInt(row.reserved) + credits}`,
      reserved_millicores: Number(row.reserved_millicores) + millicores,
    })
    .where('project', '=', project)
    .execute();
}

/**
 * Writes down that leases are over. Not needed for any answer to be right: it only keeps the reads
 * from subtracting the same ones again and again.
 *
 * @returns by project, what is held no more; not yet taken off the sums
 */
export async function sweepExpired(
  trx: Trx,
  projects: readonly string[],
  now: Instant,
): Promise<Map<string, ReservedChange>> {
  const changes = new Map<string, ReservedChange>();
  for (const chunk of inChunks([...new Set(projects)], CHUNK)) {
    const rows = await trx
      .selectFrom('reservation')
      .select(['project', 'id', 'pending', 'pending_millicores', 'expires_at'])
      .where('project', 'in', chunk)
      .where('state', '=', 'held')
      .where('expires_at', '<=', now)
      .execute();
    for (const { project, id, pending, pending_millicores, expires_at } of rows) {
      await trx
        .updateTable('reservation')
        .set({ state: 'expired', pending: 0, pending_millicores: 0, resolved_at: expires_at })
        .where('project', '=', project)
        .where('id', '=', id)
        .execute();
      const before = changes.get(project);
      changes.set(project, {
        credits: (before?.credits ?? 0n) - BigInt(pending),
        millicores: (before?.millicores ?? 0) - Number(pending_millicores),
      });
    }
  }
  return changes;
}
