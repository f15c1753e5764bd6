import type { Kysely, Transaction } from 'kysely';
import { must } from '../../errors/assert.ts';
import { grantTurns } from '../../grants/grant-turns.ts';
import { type EntryKind, missingEntries } from '../../grants/missing-entries.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import { utcMonth } from '../../values/utc-month.ts';
import type { Grant, GrantBook } from '../grant-store.ts';
import { grantOfRow } from './grant-row.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { formatTurns } from './turns-column.ts';

type Db = Kysely<LedgerTables> | Transaction<LedgerTables>;

const CHUNK = 100;

export async function readGrants(db: Db, project: string): Promise<Grant[]> {
  const rows = await db
    .selectFrom('credit_grant')
    .selectAll()
    .where('project', '=', project)
    .orderBy('granted_at')
    .orderBy('id')
    .execute();
  return rows.map(grantOfRow);
}

export async function readGrantBook(
  db: Db,
  project: ProjectId,
  from = Number.MIN_SAFE_INTEGER,
): Promise<GrantBook> {
  const grants = await readGrants(db, project);
  const sums = await db
    .selectFrom('charge_sum')
    .select(['start', 'amount'])
    .where('project', '=', project)
    .where('span', '=', 'hour')
    .where('start', '>=', from)
    .orderBy('start')
    .execute();
  const entries = await db
    .selectFrom('grant_entry')
    .selectAll()
    .where('project', '=', project)
    .orderBy('piece')
    .orderBy('kind')
    .orderBy('revision')
    .execute();
  return {
    grants,
    charges: sums.map(({ start, amount }) => ({ hour: Number(start), amount: BigInt(amount) })),
    entries: entries.map((row) => ({
      piece: row.piece,
      kind: row.kind as EntryKind,
      revision: Number(row.revision),
      amount: BigInt(row.amount),
      storedAt: Number(row.stored_at),
    })),
  };
}

/**
 * Writes the entries that are missing of a project, what is granted now, and the turns that come.
 * Whoever writes sees the same: who calls it holds the project's row. "Now" never goes back for a
 * project, so that callers whose clocks differ don't undo each other's expiries.
 */
export async function keepGrants(
  trx: Transaction<LedgerTables>,
  project: ProjectId,
  calledAt: Instant,
): Promise<void> {
  const row = await trx
    .selectFrom('balance')
    .select('grants_kept')
    .where('project', '=', project)
    .executeTakeFirst();
  const kept = must(row, 'grants are kept of a project that is there').grants_kept;
  const now = Math.max(calledAt, Number(kept));
  const { grants, charges, entries } = await readGrantBook(trx, project);
  const { burn, turns } = grantTurns(grants, charges, now);
  for (const chunk of inChunks(missingEntries(burn, entries), CHUNK)) {
    await trx
      .insertInto('grant_entry')
      .values(chunk.map((entry) => ({ project, ...entry, stored_at: now })))
      .execute();
  }
  // Once a month at least, since turns are known for about a year.
  const due = Math.min(turns[0]?.at ?? Number.POSITIVE_INFINITY, utcMonth(now, 1));
  await trx
    .updateTable('balance')
    .set({
      granted: `${burn.granted}`,
      grants_kept: now,
      grants_due: due,
      turns: formatTurns(turns),
    })
    .where('project', '=', project)
    .execute();
}
