import type { Level, LevelUse } from '../../grants/evaluate-levels.ts';
import { grantedAt } from '../../grants/grant-turns.ts';
import type { Instant } from '../../values/instant.ts';
import type { Nanocredits } from '../../values/money.ts';
import { utcMonth } from '../../values/utc-month.ts';
import type { Fence } from '../lease.ts';
import type { LevelStore } from '../level-store.ts';
import { checkFence } from './check-fence.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import { parseTurns } from './turns-column.ts';

const CHUNK = 500;

interface ProjectUse {
  readonly used: Nanocredits;
  /** 0 of one without a limit. */
  readonly left: Nanocredits;
}

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
    const uses = await this.#projectUses(projects, month, now);
    const rows = levels.map((level) => {
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

  async #projectUses(
    projects: readonly string[],
    month: Instant,
    now: Instant,
  ): Promise<Map<string, ProjectUse>> {
    const uses = new Map<string, ProjectUse>();
    for (const chunk of inChunks(projects, CHUNK)) {
      const rows = await this.#engine.db
        .selectFrom('balance')
        .leftJoin('charge_sum', (join) =>
          join
            .onRef('charge_sum.project', '=', 'balance.project')
            .on('charge_sum.span', '=', 'month')
            .on('charge_sum.start', '=', month),
        )
        .select([
          'balance.project',
          'granted',
          'charged',
          'accrued',
          'reserved',
          'unlimited',
          'turns',
        ])
        .select('charge_sum.amount as in_month')
        .where('balance.project', 'in', chunk)
        .execute();
      for (const row of rows) {
        // What is held is as good as used: nobody else may start on it.
        const accrued = BigInt(row.accrued) + BigInt(row.reserved);
        const granted = grantedAt(BigInt(row.granted), parseTurns(row.turns), now);
        const limited = Number(row.unlimited) === 0;
        uses.set(row.project, {
          used: BigInt(row.in_month ?? 0) + accrued,
          left: limited ? granted - BigInt(row.charged) - accrued : 0n,
        });
      }
    }
    return uses;
  }
}
