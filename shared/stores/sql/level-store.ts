import type { Level, LevelUse } from '../../grants/evaluate-levels.ts';
import type { Instant } from '../../values/instant.ts';
import { utcMonth } from '../../values/utc-month.ts';
import type { Fence } from '../lease.ts';
import type { LevelStore } from '../level-store.ts';
import { checkFence } from './check-fence.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import { readProjectUses } from './project-uses.ts';

const CHUNK = 500;

export class SqlLevelStore implements LevelStore {
  readonly #engine: LedgerEngine;

  constructor(engine: LedgerEngine) {
    this.#engine = engine;
  }

  async uses(keys: readonly string[]): Promise<Map<string, LevelUse>> {
    if (keys.length === 0) return new Map();
    const rows = await this.#engine.db
      .selectFrom('level_use')
      .selectAll()
      .where('level', 'in', keys)
      .execute();
    return new Map(
      rows.map((row) => [
        row.level,
        {
          month: Number(row.month),
          used: BigInt(row.used),
          left: BigInt(row.remaining),
          asOf: Number(row.as_of),
        },
      ]),
    );
  }

  async keep(levels: readonly Level[], now: Instant, fence?: Fence): Promise<void> {
    if (levels.length === 0) return;
    const month = utcMonth(now);
    const projects = [...new Set(levels.flatMap((level) => level.projects))];
    const uses = await readProjectUses(this.#engine.db, projects, now);
    // In one order, so that two who keep the same levels don't stand in each other's way.
    const sorted = levels.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const rows = sorted.map((level) => {
      let [used, left] = [0n, 0n];
      for (const project of level.projects) {
        used += uses.get(project)?.used ?? 0n;
        left += uses.get(project)?.left ?? 0n;
      }
      return { level: level.key, month, used: `${used}`, remaining: `${left}`, as_of: now };
    });
    await this.#engine.transact(async (trx) => {
      if (fence !== undefined) await checkFence(trx, fence, this.#engine);
      for (const chunk of inChunks(rows, CHUNK)) {
        await trx
          .insertInto('level_use')
          .values(chunk)
          .onConflict((conflict) =>
            conflict.column('level').doUpdateSet({
              month: (eb) => eb.ref('excluded.month'),
              used: (eb) => eb.ref('excluded.used'),
              remaining: (eb) => eb.ref('excluded.remaining'),
              as_of: (eb) => eb.ref('excluded.as_of'),
            }),
          )
          .execute();
      }
    });
  }
}
