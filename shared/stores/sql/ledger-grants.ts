import type { Kysely, Transaction } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import { formatCredits } from '../../values/money.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Grant, GrantStore } from '../grant-store.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

/** Largest integer of both engines' 64-bit columns. */
const AMOUNT_MAX = 2n ** 63n - 1n;

/** Makes the project's balance row. Until its first grant a project is unlimited. */
export async function openBalance(
  trx: Transaction<LedgerTables> | Kysely<LedgerTables>,
  projects: readonly string[],
): Promise<void> {
  if (projects.length === 0) return;
  await trx
    .insertInto('balance')
    .values(
      projects.map((project) => ({
        project,
        granted: '0',
        charged: '0',
        accrued: '0',
        per_hour: '0',
        unlimited: 1,
      })),
    )
    .onConflict((conflict) => conflict.column('project').doNothing())
    .execute();
}

/** @returns whether it was not there before */
async function insertGrant(trx: Transaction<LedgerTables>, grant: Grant): Promise<boolean> {
  const rows = await trx
    .insertInto('credit_grant')
    .values({
      id: grant.id,
      project: grant.project,
      amount: grant.amount,
      reason: grant.reason,
      granted_at: grant.grantedAt,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .execute();
  return rows.length > 0;
}

export class SqlGrantStore implements GrantStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async grant(grant: Grant): Promise<'granted' | 'already-there'> {
    if (grant.amount > AMOUNT_MAX || grant.amount < -AMOUNT_MAX) {
      throw new AppError(
        'BAD_REQUEST',
        `grant ${grant.id}: at most ${formatCredits(AMOUNT_MAX)} credits at once; split it`,
      );
    }
    return this.#engine.transact(async (trx) => {
      // Who gives the same one at the same time waits here, and then finds it there.
      if (!(await insertGrant(trx, grant))) {
        const there = await trx
          .selectFrom('credit_grant')
          .selectAll()
          .where('id', '=', grant.id)
          .executeTakeFirstOrThrow();
        const same =
          there.project === grant.project &&
          BigInt(there.amount) === grant.amount &&
          there.reason === grant.reason;
        if (same) return 'already-there';
        throw new AppError(
          'CONFLICT',
          `grant ${grant.id} was given before with another project, amount or reason; use a new id`,
        );
      }
      await openBalance(trx, [grant.project]);
      const balance = await trx
        .selectFrom('balance')
        .select('granted')
        .where('project', '=', grant.project)
        .$if(this.#engine.rowLocks, (query) => query.forUpdate())
        .executeTakeFirstOrThrow();
      await trx
        .updateTable('balance')
        .set({ granted: `${BigInt(balance.granted) + grant.amount}`, unlimited: 0 })
        .where('project', '=', grant.project)
        .execute();
      return 'granted';
    });
  }

  async register(project: ProjectId): Promise<void> {
    await openBalance(this.#engine.db, [project]);
  }

  async grants(project: ProjectId): Promise<Grant[]> {
    const rows = await this.#engine.db
      .selectFrom('credit_grant')
      .selectAll()
      .where('project', '=', project)
      .orderBy('granted_at')
      .orderBy('id')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      project: row.project as ProjectId,
      amount: BigInt(row.amount),
      reason: row.reason,
      grantedAt: Number(row.granted_at),
    }));
  }
}
