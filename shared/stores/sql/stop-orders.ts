import type { Selectable } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import { must } from '../../errors/assert.ts';
import type { Instant } from '../../values/instant.ts';
import type {
  StopOrder,
  StopOrderStore,
  StopOutcome,
  StopState,
  StoredStop,
} from '../stop-orders.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

type Row = Selectable<LedgerTables['stop_order']>;

const FINAL: readonly StopState[] = ['stopped', 'refused'];
/** More orders than anybody gives; the oldest are handed on first. */
const OPEN_MAX = 10_000;

function fromRow(row: Row): StoredStop {
  return {
    id: row.id,
    cluster: row.cluster,
    application: row.application,
    withinMs: Number(row.within_ms),
    force: Number(row.force) === 1,
    orderedBy: row.ordered_by,
    orderedAt: Number(row.ordered_at),
    state: row.state as StopState,
    clean: row.clean === null ? undefined : Number(row.clean) === 1,
    message: row.message,
    updatedAt: Number(row.updated_at),
  };
}

function isSame(order: StopOrder, stored: StoredStop): boolean {
  return (
    order.cluster === stored.cluster &&
    order.application === stored.application &&
    order.withinMs === stored.withinMs &&
    order.force === stored.force
  );
}

/** Orders to stop, in one table beside the ledger. */
export class SqlStopOrders implements StopOrderStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async order(order: StopOrder): Promise<StoredStop> {
    const { id, cluster, application, orderedAt } = order;
    return this.#engine.transact(async (trx) => {
      await trx
        .insertInto('stop_order')
        .values({
          id,
          cluster,
          application,
          within_ms: order.withinMs,
          force: order.force ? 1 : 0,
          ordered_by: order.orderedBy.toWellFormed(),
          ordered_at: orderedAt,
          state: 'ordered',
          clean: null,
          message: '',
          updated_at: orderedAt,
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
      const row = await trx
        .selectFrom('stop_order')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      const stored = fromRow(must(row, 'an order that was just written'));
      if (isSame(order, stored)) return stored;
      throw new AppError('CONFLICT', `stop ${id} was ordered before in other words; use a new id`);
    });
  }

  async open(since: Instant): Promise<StoredStop[]> {
    const rows = await this.#engine.db
      .selectFrom('stop_order')
      .selectAll()
      .where('state', 'not in', FINAL)
      .where('ordered_at', '>=', since)
      .orderBy('ordered_at')
      .orderBy('id')
      .limit(OPEN_MAX)
      .execute();
    return rows.map(fromRow);
  }

  async ofApplication(cluster: string, application: string): Promise<StoredStop[]> {
    const rows = await this.#engine.db
      .selectFrom('stop_order')
      .selectAll()
      .where('cluster', '=', cluster)
      .where('application', '=', application)
      .orderBy('ordered_at', 'desc')
      .orderBy('id')
      .limit(100)
      .execute();
    return rows.map(fromRow);
  }

  async report(id: string, outcome: StopOutcome, at: Instant): Promise<void> {
    const { state, clean, message } = outcome;
    await this.#engine.db
      .updateTable('stop_order')
      .set({
        state,
        clean: clean === undefined ? null : clean ? 1 : 0,
        message: message.toWellFormed().replaceAll('\0', ''),
        updated_at: at,
      })
      .where('id', '=', id)
      .where('state', 'not in', FINAL)
      .execute();
  }
}
