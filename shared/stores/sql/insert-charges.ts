import type { Insertable, Transaction } from 'kysely';
import type { Charge } from '../../contracts/charge.ts';
import { AppError } from '../../errors/app-error.ts';
import { must } from '../../errors/assert.ts';
import { rowOfCharge } from './charge-row.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 100;

type Trx = Transaction<LedgerTables>;
type ChargeRow = Insertable<LedgerTables['charge']>;

/** What follows from the facts; when and under which name it was stored does not. */
const BODY = [
  'type',
  'project',
  'cluster',
  'container',
  'container_ms',
  'millicore_ms',
  'mib_ms',
  'gpu_ms',
  'amount',
] as const;

/**
 * Appends rows of the ledger.
 *
 * @returns those that were not there before
 * @throws AppError CONFLICT when an id is there with another body
 */
export async function insertCharges(trx: Trx, charges: readonly Charge[]): Promise<Charge[]> {
  // In one order, since who inserts the same at the same time waits for the other.
  const bodies = [...new Set(charges.map(({ tags }) => tags))].sort();
  const tagSets = await tagSetIds(trx, bodies);
  const inserted: Charge[] = [];
  for (const chunk of inChunks(charges, CHUNK)) {
    const given = chunk.map((charge) =>
      rowOfCharge(charge, must(tagSets.get(charge.tags), 'tags')),
    );
    const rows = await trx
      .insertInto('charge')
      .values(given)
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .execute();
    const ids = new Set(rows.map(({ id }) => id));
    inserted.push(...chunk.filter(({ id }) => ids.has(id)));
    await checkRepeats(
      trx,
      given.filter(({ id }) => !ids.has(id)),
    );
  }
  return inserted;
}

async function checkRepeats(trx: Trx, repeats: readonly ChargeRow[]): Promise<void> {
  if (repeats.length === 0) return;
  const stored = await trx
    .selectFrom('charge')
    .select(['id', ...BODY])
    .where(
      'id',
      'in',
      repeats.map(({ id }) => id),
    )
    .where('hour', 'in', [...new Set(repeats.map(({ hour }) => hour))])
    .execute();
  const rows = new Map(stored.map((row) => [row.id, row]));
  for (const repeat of repeats) {
    const row = must(rows.get(repeat.id), 'a charge that was not inserted is there');
    if (BODY.every((name) => `${row[name]}` === `${repeat[name]}`)) continue;
    throw new AppError(
      'CONFLICT',
      `charge ${repeat.id} stands with another body: another meter has settled it meanwhile; ` +
        'read again and settle what is left',
    );
  }
}

async function tagSetIds(
  trx: Trx,
  bodies: readonly string[],
): Promise<Map<string, bigint | number>> {
  const ids = new Map<string, bigint | number>();
  for (const chunk of inChunks(bodies, CHUNK)) {
    await trx
      .insertInto('tag_set')
      .values(chunk.map((body) => ({ body })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const rows = await trx.selectFrom('tag_set').selectAll().where('body', 'in', chunk).execute();
    for (const { id, body } of rows) ids.set(body, id);
  }
  return ids;
}
