import { AppError } from '../../errors/app-error.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { Instant } from '../../values/instant.ts';
import type { Silence, SilenceStore } from '../silence-store.ts';
import type { AlertEngine } from './alert-engine.ts';

/** More silences than anybody reads. */
const SILENCES_MAX = 10_000;

function fromBody(body: string): Silence {
  const silence = JSON.parse(body) as Silence;
  return { ...silence, project: silence.project, receiver: silence.receiver };
}

function toRow(silence: Silence) {
  const { id, project, endsAt } = silence;
  return { id, project: project ?? '', ends_at: endsAt, body: JSON.stringify(silence) };
}

/** Silences as JSON beside the end they are found by, on SQLite or PostgreSQL. */
export class SqlSilenceStore implements SilenceStore {
  readonly #engine: AlertEngine;

  constructor(engine: AlertEngine) {
    this.#engine = engine;
  }

  async create(silence: Silence): Promise<void> {
    const { numInsertedOrUpdatedRows: inserted } = await this.#engine.db
      .insertInto('silence')
      .values(toRow(silence))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirstOrThrow();
    if (inserted === 1n) return;
    const stored = await this.silence(silence.id);
    if (stored !== undefined && canonicalJson(stored) === canonicalJson(silence)) return;
    throw new AppError('CONFLICT', `there is another silence ${silence.id}; use a new id`);
  }

  async end(id: string, at: Instant, by: string): Promise<'ended' | 'already-over' | 'unknown'> {
    return this.#engine.transact(async (trx) => {
      const row = await trx
        .selectFrom('silence')
        .select('body')
        .where('id', '=', id)
        .$if(this.#engine.rowLocks, (query) => query.forUpdate())
        .executeTakeFirst();
      if (row === undefined) return 'unknown';
      const silence = fromBody(row.body);
      if (silence.endsAt <= at) return 'already-over';
      const startsAt = Math.min(silence.startsAt, at);
      const { ends_at, body } = toRow({ ...silence, startsAt, endsAt: at, endedBy: by });
      await trx.updateTable('silence').set({ ends_at, body }).where('id', '=', id).execute();
      return 'ended';
    });
  }

  async silence(id: string): Promise<Silence | undefined> {
    const row = await this.#engine.db
      .selectFrom('silence')
      .select('body')
      .where('id', '=', id)
      .executeTakeFirst();
    return row === undefined ? undefined : fromBody(row.body);
  }

  async silences(
    endedSince: Instant,
    { project, limit = SILENCES_MAX }: Parameters<SilenceStore['silences']>[1] = {},
  ): Promise<Silence[]> {
    const rows = await this.#engine.db
      .selectFrom('silence')
      .select('body')
      .where('ends_at', '>', endedSince)
      .$if(project !== undefined, (query) => query.where('project', '=', project ?? ''))
      .orderBy('ends_at')
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map(({ body }) => fromBody(body));
  }

  async forget(before: Instant): Promise<number> {
    const { numDeletedRows } = await this.#engine.db
      .deleteFrom('silence')
      .where('ends_at', '<', before)
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  }
}
