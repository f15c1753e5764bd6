import type { Transaction } from 'kysely';
import type { Charge } from '../../contracts/charge.ts';
import type { Nanocredits } from '../../values/money.ts';
import { utcMonth } from '../../values/utc-month.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';

const CHUNK = 100;

interface Sum {
  readonly project: string;
  readonly span: 'hour' | 'month';
  readonly start: number;
  amount: Nanocredits;
}

const keyOf = ({ project, span, start }: Record<'project' | 'span', string> & { start: unknown }) =>
  `${project} ${span} ${start}`;

function sumsOf(charges: readonly Charge[]): Sum[] {
  const sums = new Map<string, Sum>();
  for (const { project, hour, amount } of charges) {
    for (const [span, start] of [['hour', hour] as const, ['month', utcMonth(hour)] as const]) {
      const key = keyOf({ project, span, start });
      const sum = sums.get(key) ?? { project, span, start, amount: 0n };
      sum.amount += amount;
      sums.set(key, sum);
    }
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}

/**
 * Adds rows that were just inserted to the sums by hour and month, and makes the grants of their
 * projects due. The balances' rows are locked, which keeps others from the same sums.
 */
export async function addChargeSums(
  trx: Transaction<LedgerTables>,
  inserted: readonly Charge[],
): Promise<void> {
  for (const chunk of inChunks(sumsOf(inserted), CHUNK)) {
    const rows = await trx
      .selectFrom('charge_sum')
      .selectAll()
      .where('project', 'in', [...new Set(chunk.map(({ project }) => project))])
      .where('span', 'in', ['hour', 'month'])
      .where('start', 'in', [...new Set(chunk.map(({ start }) => start))])
      .execute();
    const before = new Map(rows.map((row) => [keyOf(row), BigInt(row.amount)]));
    const values = chunk.map(({ amount, ...sum }) => ({
      ...sum,
      amount: `${(before.get(keyOf(sum)) ?? 0n) + amount}`,
    }));
    await trx
      .insertInto('charge_sum')
      .values(values)
      .onConflict((conflict) =>
        conflict
          .columns(['project', 'span', 'start'])
          .doUpdateSet({ amount: (eb) => eb.ref('excluded.amount') }),
      )
      .execute();
  }
  const projects = [...new Set(inserted.map(({ project }) => project))].sort();
  for (const chunk of inChunks(projects, CHUNK)) {
    await trx
      .updateTable('balance')
      .set({ grants_due: 0 })
      .where('project', 'in', chunk)
      .where('grants_due', '>', 0)
      .execute();
  }
}
