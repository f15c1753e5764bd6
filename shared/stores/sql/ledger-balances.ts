import type { Transaction } from 'kysely';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import { openBalance } from './ledger-grants.ts';
import type { LedgerTables } from './ledger-schema.ts';

interface Change {
  charged: bigint;
  accrued: bigint;
  perHour: bigint;
  /** Of running containers. */
  millicores: number;
  /** The part of `charged` that is inferred. */
  inferred: bigint;
}

const NOTHING: Change = { charged: 0n, accrued: 0n, perHour: 0n, millicores: 0, inferred: 0n };

/** What a settlement does to the balances of projects, summed before it is written. */
export class BalanceChanges {
  readonly #changes = new Map<string, Change>();

  add(project: string, more: Partial<Change>): void {
    const change = this.#changes.get(project) ?? { ...NOTHING };
    change.charged += more.charged ?? 0n;
    change.accrued += more.accrued ?? 0n;
    change.perHour += more.perHour ?? 0n;
    change.millicores += more.millicores ?? 0;
    change.inferred += more.inferred ?? 0n;
    this.#changes.set(project, change);
  }

  get projects(): ReadonlySet<string> {
    return new Set(this.#changes.keys());
  }

  /** Projects touched, those whose changes cancel out included: they are known from now on. */
  entries(): [project: string, Change][] {
    return [...this.#changes];
  }
}

const CHUNK = 100;

/**
 * Adds to the totals. They are decimal text, read and written under a lock: no engine's integer holds
 * a total without bound, and a total that overflowed would stop every settlement after it. Others
 * write the same projects: rows are locked in the order of their names, and last in a transaction.
 */
export async function addToBalances(
  trx: Transaction<LedgerTables>,
  changes: BalanceChanges,
  { rowLocks }: Pick<LedgerEngine, 'rowLocks'>,
): Promise<void> {
  const sorted = changes.entries().sort(([a], [b]) => (a < b ? -1 : 1));
  for (const chunk of inChunks(sorted, CHUNK)) {
    const projects = chunk.map(([project]) => project);
    await openBalance(trx, projects);
    const rows = await trx
      .selectFrom('balance')
      .selectAll()
      .where('project', 'in', projects)
      .$if(rowLocks, (query) => query.orderBy('project').forUpdate())
      .execute();
    const before = new Map(rows.map((row) => [row.project, row]));
    for (const [project, change] of chunk) {
      const row = before.get(project);
      if (Object.values(change).every((one) => one === 0n || one === 0)) continue;
      await trx
        .updateTable('balance')
        .set({
          charged: `${BigInt(row?.charged ?? 0) + change.charged}`,
          accrued: `${BigInt(row?.accrued ?? 0) + change.accrued}`,
          per_hour: `${BigInt(row?.per_hour ?? 0) + change.perHour}`,
          millicores: Number(row?.millicores ?? 0) + change.millicores,
          inferred: `${BigInt(row?.inferred ?? 0) + change.inferred}`,
        })
        .where('project', '=', project)
        .execute();
    }
  }
}
