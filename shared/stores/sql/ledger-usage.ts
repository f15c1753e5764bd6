import type { ReadingKind } from '../../rating/evaluate-limits.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { PartReading, UsageStore } from '../usage-store.ts';
import type { LedgerEngine } from './ledger-engine.ts';

/** Readings of use, beside the balances that they are told with. */
export class SqlUsageStore implements UsageStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async record(readings: readonly PartReading[]): Promise<void> {
    if (readings.length === 0) return;
    await this.#engine.transact(async (trx) => {
      for (const { project, kind, part, used, asOf } of readings) {
        await trx
          .insertInto('usage_reading')
          .values({ project, kind, part, used: `${used}`, as_of: Math.trunc(asOf) })
          .onConflict((conflict) =>
            conflict
              .columns(['project', 'kind', 'part'])
              .doUpdateSet({ used: `${used}`, as_of: Math.trunc(asOf) })
              .where('usage_reading.as_of', '<=', Math.trunc(asOf)),
          )
          .execute();
      }
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
      for (const { project, part } of rows) {
        if (kept.has(`${project}\n${part}`)) continue;
        await trx
          .deleteFrom('usage_reading')
          .where('project', '=', project)
          .where('kind', '=', kind)
          .where('part', '=', part)
          .execute();
      }
    });
  }
}
