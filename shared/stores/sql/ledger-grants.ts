import type { Kysely, Transaction } from 'kysely';
import { AppError } from '../../errors/app-error.ts';
import { must } from '../../errors/assert.ts';
import { grantProblems } from '../../grants/grant-problems.ts';
import type { Instant } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Grant, GrantBook, GrantStore } from '../grant-store.ts';
import type { Fence } from '../lease.ts';
import { checkFence } from './check-fence.ts';
import { grantOfRow, rowOfGrant } from './grant-row.ts';
import { keepGrants, readGrantBook, readGrants } from './keep-grants.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';

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

type Result = 'granted' | 'already-there';

function isSame(there: Grant, grant: Grant): boolean {
  const [a, b] = [rowOfGrant(there), rowOfGrant(grant)];
  return (
    there.project === grant.project &&
    there.amount === grant.amount &&
    there.reason === grant.reason &&
    (a.terms ?? null) === (b.terms ?? null)
  );
}

/**
 * Who gives the same one at the same time waits here, and then finds it there.
 *
 * @returns undefined when it is there with another body
 */
async function insertGrant(
  trx: Transaction<LedgerTables>,
  grant: Grant,
): Promise<Result | undefined> {
  const rows = await trx
    .insertInto('credit_grant')
    .values(rowOfGrant(grant))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .execute();
  if (rows.length > 0) return 'granted';
  const there = await trx
    .selectFrom('credit_grant')
    .selectAll()
    .where('id', '=', grant.id)
    .executeTakeFirstOrThrow();
  return isSame(grantOfRow(there), grant) ? 'already-there' : undefined;
}

/** @throws AppError BAD_REQUEST naming all that is wrong with any of them */
function refuseWrong(grants: readonly Grant[]): void {
  const problems = grants.flatMap((grant) =>
    grantProblems(grant, grant.grantedAt).map(
      ({ path, message }) => `grant ${grant.id}: ${path} ${message}`,
    ),
  );
  if (problems.length > 0) throw new AppError('BAD_REQUEST', problems.join('; '));
}

export class SqlGrantStore implements GrantStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async grant(grant: Grant): Promise<Result> {
    const [result] = await this.grantAll([grant]);
    return must(result, 'each grant has a result');
  }

  async grantAll(grants: readonly Grant[]): Promise<Result[]> {
    refuseWrong(grants);
    return this.#engine.transact(async (trx) => {
      const results = new Map<Grant, Result>();
      const contradicts: string[] = [];
      // In one order, since who inserts the same at the same time waits for the other.
      for (const grant of grants.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
        const result = await insertGrant(trx, grant);
        if (result === undefined) contradicts.push(grant.id);
        else results.set(grant, result);
      }
      if (contradicts.length > 0) {
        throw new AppError(
          'CONFLICT',
          `grant ${contradicts.join(', ')} was given before with another project, amount, reason ` +
            'or other terms; use a new id',
        );
      }
      const given = grants.filter((grant) => results.get(grant) === 'granted');
      const projects = Map.groupBy(given, ({ project }) => project);
      for (const [project, more] of [...projects].sort(([a], [b]) => (a < b ? -1 : 1))) {
        await this.#add(trx, project, more);
      }
      return grants.map((grant) => must(results.get(grant), 'each grant has a result'));
    });
  }

  async register(project: ProjectId): Promise<void> {
    await openBalance(this.#engine.db, [project]);
  }

  grants(project: ProjectId): Promise<Grant[]> {
    return readGrants(this.#engine.db, project);
  }

  book(project: ProjectId, from?: Instant): Promise<GrantBook> {
    return readGrantBook(this.#engine.db, project, from);
  }

  async keepDue(now: Instant, limit: number, fence?: Fence): Promise<number> {
    const due = await this.#engine.db
      .selectFrom('balance')
      .select('project')
      .where('grants_due', '<=', now)
      .orderBy('grants_due')
      .orderBy('project')
      .limit(limit)
      .execute();
    for (const { project } of due) {
      await this.#engine.transact(async (trx) => {
        if (fence !== undefined) await checkFence(trx, fence, this.#engine);
        await this.#lockBalance(trx, project);
        await keepGrants(trx, project as ProjectId, now);
      });
    }
    return due.length;
  }

  #lockBalance(trx: Transaction<LedgerTables>, project: string) {
    return trx
      .selectFrom('balance')
      .select(['granted', 'grants_due'])
      .where('project', '=', project)
      .$if(this.#engine.rowLocks, (query) => query.forUpdate())
      .executeTakeFirstOrThrow();
  }

  async #add(
    trx: Transaction<LedgerTables>,
    project: ProjectId,
    grants: readonly Grant[],
  ): Promise<void> {
    await openBalance(trx, [project]);
    const { granted, grants_due: due } = await this.#lockBalance(trx, project);
    const amount = grants.reduce((sum, grant) => sum + grant.amount, 0n);
    const plain = due === null && grants.every(({ terms }) => terms === undefined);
    await trx
      .updateTable('balance')
      .set({ unlimited: 0, ...(plain ? { granted: `${BigInt(granted) + amount}` } : {}) })
      .where('project', '=', project)
      .execute();
    if (plain) return;
    await keepGrants(trx, project, Math.max(...grants.map(({ grantedAt }) => grantedAt)));
  }
}
