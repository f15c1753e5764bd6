import type { Selectable, Transaction } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import { must } from '../../errors/assert.ts';
import type { PricePromise } from '../../price/price-promise.ts';
import { formatInstant, type Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { KeptQuote, QuoteStore } from '../quote-store.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 100;

function fromRow(row: Selectable<LedgerTables['quote']>): KeptQuote {
  return {
    id: row.id,
    project: row.project as ProjectId,
    application: row.application,
    pool: row.pool,
    step: Number(row.step),
    start: Number(row.start),
    end: Number(row.end),
    quotedBy: row.quoted_by,
  };
}

function isSame(a: KeptQuote, b: KeptQuote): boolean {
  return (
    a.project === b.project &&
    a.pool === b.pool &&
    a.step === b.step &&
    a.start === b.start &&
    a.end === b.end
  );
}

/** Price promises, in one table beside the ledger. */
export class SqlQuoteStore implements QuoteStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async keep(quote: KeptQuote, liveMax: number): Promise<void> {
    const { id, project, application, pool, step, start, end, quotedBy } = quote;
    await this.#engine.transact(async (trx) => {
      await this.#alone(trx, project);
      const live = await trx
        .selectFrom('quote')
        .select(['id', 'end'])
        .where('project', '=', project)
        .where('end', '>', start)
        .orderBy('end')
        .limit(liveMax)
        .execute();
      if (live.length >= liveMax && !live.some((one) => one.id === id)) {
        const first = Number(must(live[0], 'a project that has them').end);
        throw new AppError(
          'OVERLOADED',
          `project ${project} has ${live.length} locked prices, the most it may have; ` +
            `the next one ends ${formatInstant(first)}`,
          { details: { retryAfterMs: first - start } },
        );
      }
      await trx
        .insertInto('quote')
        .values({
          ...{ id, project, pool, step, start, end },
          application: application.toWellFormed(),
          quoted_by: quotedBy.toWellFormed(),
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
      const row = await trx.selectFrom('quote').selectAll().where('id', '=', id).executeTakeFirst();
      if (isSame(quote, fromRow(must(row, 'a quote that was just written')))) return;
      throw new AppError('CONFLICT', `quote ${id} was given before in other words; use a new id`);
    });
  }

  /** Two that each find room for one more would both take it: one waits, at its project's row. */
  async #alone(trx: Transaction<LedgerTables>, project: ProjectId): Promise<void> {
    if (!this.#engine.rowLocks) return;
    const row = trx.selectFrom('balance').select('project').where('project', '=', project);
    await row.forUpdate().execute();
  }

  async promises(
    refs: Parameters<QuoteStore['promises']>[0],
  ): Promise<ReadonlyMap<string, PricePromise>> {
    const found = new Map<string, PricePromise>();
    for (const [project, members] of Map.groupBy(refs, (ref) => ref.project)) {
      for (const chunk of inChunks(members, CHUNK)) {
        const rows = await this.#engine.db
          .selectFrom('quote')
          .selectAll()
          .where('project', '=', project)
          .where(
            'id',
            'in',
            chunk.map(({ quote }) => quote),
          )
          .execute();
        for (const row of rows) found.set(row.id, fromRow(row));
      }
    }
    return found;
  }

  async quote(project: ProjectId, id: string): Promise<KeptQuote | undefined> {
    const row = await this.#engine.db
      .selectFrom('quote')
      .selectAll()
      .where('id', '=', id)
      .where('project', '=', project)
      .executeTakeFirst();
    return row === undefined ? undefined : fromRow(row);
  }

  async live(project: ProjectId, now: Instant): Promise<KeptQuote[]> {
    const rows = await this.#engine.db
      .selectFrom('quote')
      .selectAll()
      .where('project', '=', project)
      .where('end', '>', now)
      .orderBy('end')
      .orderBy('id')
      .limit(1_000)
      .execute();
    return rows.map(fromRow);
  }
}
