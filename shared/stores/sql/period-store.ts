import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Charge } from '../../contracts/charge.ts';
import { AppError } from '../../errors/app-error.ts';
import { formatInstant, type Instant } from '../../values/instant.ts';
import { type Month, monthEnd, monthStart } from '../../values/month.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { ClosedPeriod, PeriodStore } from '../period-store.ts';
import { chargeOfRow } from './charge-row.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

type Db = Pick<Kysely<LedgerTables>, 'selectFrom'>;

function fromRow(row: Selectable<LedgerTables['period_close']>): ClosedPeriod {
  return { month: row.month, closedAt: Number(row.closed_at), closedBy: row.closed_by };
}

/** The close that covers a month: its own, or the first of a later one. */
async function covering(db: Db, month: Month): Promise<ClosedPeriod | undefined> {
  const row = await db
    .selectFrom('period_close')
    .selectAll()
    .where('month', '>=', month)
    .orderBy('month')
    .limit(1)
    .executeTakeFirst();
  return row && fromRow(row);
}

async function asOf(db: Db): Promise<{ readonly first: Instant; readonly last: Instant }> {
  const row = await db
    .selectFrom('shard')
    .select((eb) => [eb.fn.min('as_of').as('first'), eb.fn.max('as_of').as('last')])
    .executeTakeFirstOrThrow();
  return { first: Number(row.first), last: Number(row.last) };
}

/** Why a month isn't settled to its end; undefined when it is. */
async function unsettled(db: Db, end: Instant): Promise<string | undefined> {
  const { first } = await asOf(db);
  if (first < end) return `the ledger is settled up to ${formatInstant(first)} only`;
  for (const { shard, cursor } of await db.selectFrom('shard').selectAll().execute()) {
    const fact = await db
      .selectFrom('fact')
      .select('id')
      .where('shard', '=', shard)
      .where('seq', '>', cursor)
      .where('at', '<', end)
      .limit(1)
      .executeTakeFirst();
    if (fact !== undefined) return `fact ${fact.id} of its time is not settled yet`;
  }
  const container = await db
    .selectFrom('container')
    .select(['cluster', 'container'])
    .where('next_at', 'is not', null)
    .where('start', '<', end)
    .where((eb) => eb.or([eb('charged_until', 'is', null), eb('charged_until', '<', end)]))
    .limit(1)
    .executeTakeFirst();
  if (container === undefined) return undefined;
  return `container ${container.container} of ${container.cluster} is not charged up to its end yet`;
}

/** The books of a ledger. Closing waits for the settlements that are under way, and these for it. */
export class SqlPeriodStore implements PeriodStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async closed(): Promise<ClosedPeriod[]> {
    const { db } = this.#engine;
    const rows = await db.selectFrom('period_close').selectAll().orderBy('month').execute();
    return rows.map(fromRow);
  }

  async knownUntil(): Promise<Instant> {
    return (await asOf(this.#engine.db)).first;
  }

  async *booked(project: ProjectId, month: Month, pageSize: number): AsyncGenerator<Charge[]> {
    yield* this.#pages(pageSize, (charges) =>
      charges
        .where('charge.project', '=', project)
        .where('charge.hour', '>=', monthStart(month))
        .where('charge.hour', '<', monthEnd(month))
        .where('charge.booked', 'is', null),
    );
    yield* this.#pages(pageSize, (charges) =>
      charges.where('charge.project', '=', project).where('charge.booked', '=', month),
    );
  }

  async *#pages(
    pageSize: number,
    narrow: (query: ReturnType<SqlPeriodStore['charges']>) => ReturnType<SqlPeriodStore['charges']>,
  ): AsyncGenerator<Charge[]> {
    for (let last: Charge | undefined; ; ) {
      let query = narrow(this.charges(pageSize));
      if (last !== undefined) {
        // Ids begin with the hour; naming it lets the index begin there.
        query = query.where('charge.hour', '>=', last.hour).where('charge.id', '>', last.id);
      }
      const page = (await query.execute()).map(chargeOfRow);
      if (page.length > 0) yield page;
      last = page.at(-1);
      if (last === undefined || page.length < pageSize) return;
    }
  }

  charges(limit: number) {
    return this.#engine.db
      .selectFrom('charge')
      .innerJoin('tag_set', 'tag_set.id', 'charge.tag_set')
      .selectAll('charge')
      .select('tag_set.body as tags')
      .orderBy('charge.hour')
      .orderBy('charge.id')
      .limit(limit);
  }

  close(order: Parameters<PeriodStore['close']>[0]): Promise<ClosedPeriod> {
    return this.#engine.transact(async (trx) => {
      await this.#engine.lock(trx, 'books');
      return (await covering(trx, order.month)) ?? (await closeMonth(trx, order));
    });
  }
}

async function closeMonth(
  trx: Transaction<LedgerTables>,
  { month, at, by }: Parameters<PeriodStore['close']>[0],
): Promise<ClosedPeriod> {
  const why = await unsettled(trx, monthEnd(month));
  if (why !== undefined) {
    throw new AppError(
      'CONFLICT',
      `${month} is not closed: ${why}; see that the meter runs, and close it then`,
    );
  }
  // A meter's clock may be ahead of this one.
  const closedAt = Math.max(at, (await asOf(trx)).last);
  const closed = { month, closedAt, closedBy: by.toWellFormed() };
  await trx
    .insertInto('period_close')
    .values({ month, closed_at: closedAt, closed_by: closed.closedBy })
    .execute();
  return closed;
}
