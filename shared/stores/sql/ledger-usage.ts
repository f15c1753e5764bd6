import type { Transaction } from 'kysely';
import type { ReadingKind } from '../../rating/evaluate-limits.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { PartReading, UsageStore } from '../usage-store.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import { openBalance } from './ledger-grants.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { lockBalances } from './reserved-sums.ts';
import { formatReadings } from './use-readings.ts';

type Trx = Transaction<LedgerTables>;

/** Tells the balance what its parts add up to, so that the quota check reads one row. */
async function tellBalance(trx: Trx, project: string): Promise<void> {
  const rows = await trx
    .selectFrom('usage_reading')
    .select(['kind', 'used', 'as_of'])
    .where('project', '=', project)
    .execute();
  await trx
    .updateTable('balance')
    .set({ readings: formatReadings(rows) })
    .where('project', '=', project)
    .execute();
}

async function writePart(trx: Trx, reading: PartReading): Promise<void> {
  const { project, kind, part } = reading;
  const [used, as_of] = [`${reading.used}`, Math.trunc(reading.asOf)];
  await trx
    .insertInto('usage_reading')
    .values({ project, kind, part, used, as_of })
    .onConflict((conflict) =>
      conflict
        .columns(['project', 'kind', 'part'])
        .doUpdateSet({ used, as_of })
        .where('usage_reading.as_of', '<=', as_of),
    )
    .execute();
}

/** Readings of use, beside the balances that they are told with. */
export class SqlUsageStore implements UsageStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async record(readings: readonly PartReading[]): Promise<void> {
    const projects = [...new Set(readings.map(({ project }) => project as string))];
    if (projects.length === 0) return;
    await this.#engine.transact(async (trx) => {
      await openBalance(trx, projects);
      await lockBalances(trx, projects, this.#engine);
      for (const reading of readings) await writePart(trx, reading);
      for (const project of projects) await tellBalance(trx, project);
    });
  }

  async keepParts(
    kind: ReadingKind,
    parts: readonly { readonly project: ProjectId; readonly part: string }[],
  ): Promise<void> {
    const kept = new Set(parts.map(({ project, part }) => `${project}\n${part}`));
    await this.#engine.transact(async (trx) => {
      const rows = await trx
        .selectFrom('usage_reading')
        .select(['project', 'part'])
        .where('kind', '=', kind)
        .execute();
      const gone = rows.filter(({ project, part }) => !kept.has(`${project}\n${part}`));
      const projects = [...new Set(gone.map(({ project }) => project))];
      if (projects.length === 0) return;
      await lockBalances(trx, projects, this.#engine);
      for (const { project, part } of gone) {
        await trx
          .deleteFrom('usage_reading')
          .where('project', '=', project)
          .where('kind', '=', kind)
          .where('part', '=', part)
          .execute();
      }
      for (const project of projects) await tellBalance(trx, project);
    });
  }
}
