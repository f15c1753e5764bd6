import type { Selectable } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import { must } from '../../errors/assert.ts';
import type { PriceFreeze, PriceFreezeStore } from '../price-freezes.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

/** Text as every engine can hold it. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}

function fromRow(row: Selectable<LedgerTables['price_freeze']>): PriceFreeze {
  return {
    id: row.id,
    pool: row.pool,
    frozen: Number(row.frozen) === 1,
    reason: row.reason,
    orderedBy: row.ordered_by,
    orderedAt: Number(row.ordered_at),
  };
}

/** Switches of prices, in one table beside the ledger; rows are only added. */
export class SqlPriceFreezes implements PriceFreezeStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async order(freeze: PriceFreeze): Promise<PriceFreeze> {
    const { id, pool, frozen } = freeze;
    const reason = storable(freeze.reason);
    return this.#engine.transact(async (trx) => {
      await trx
        .insertInto('price_freeze')
        .values({
          id,
          pool,
          frozen: frozen ? 1 : 0,
          reason,
          ordered_by: storable(freeze.orderedBy),
          ordered_at: freeze.orderedAt,
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
      const row = await trx
        .selectFrom('price_freeze')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      const stored = fromRow(must(row, 'a switch that was just written'));
      const same = stored.pool === pool && stored.frozen === frozen && stored.reason === reason;
      if (same) return stored;
      throw new AppError('CONFLICT', `${id} was ordered before in other words; use a new id`);
    });
  }

  async ofPool(pool: string, limit: number): Promise<PriceFreeze[]> {
    const rows = await this.#engine.db
      .selectFrom('price_freeze')
      .selectAll()
      .where('pool', '=', pool)
      .orderBy('ordered_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(fromRow);
  }
}
