import type { Transaction } from 'kysely';
import type { Level, LevelState } from '../../grants/evaluate-levels.ts';
import type { Instant } from '../../values/instant.ts';
import type { Nanocredits } from '../../values/money.ts';
import { utcMonth } from '../../values/utc-month.ts';
import type { LedgerEngine } from './ledger-engine.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { type ProjectUse, readProjectUses } from './project-uses.ts';

interface LevelSum {
  used: Nanocredits;
  left: Nanocredits;
}

const NOTHING: ProjectUse = { used: 0n, left: 0n };

/** What the levels above projects have used and left while a batch of holds is decided. */
export class HeldLevels {
  readonly #now: Instant;
  readonly #projects: Map<string, LevelSum>;
  readonly #levels = new Map<string, LevelSum>();

  private constructor(now: Instant, uses: ReadonlyMap<string, ProjectUse>) {
    this.#now = now;
    this.#projects = new Map([...uses].map(([project, use]) => [project, { ...use }]));
  }

  /**
   * Locks the levels in the order of their keys, before any project's row, and sums their projects:
   * nobody else admits anything below them until the transaction ends.
   */
  static async lock(
    trx: Transaction<LedgerTables>,
    { levels, now }: { readonly levels: readonly Level[]; readonly now: Instant },
    engine: Pick<LedgerEngine, 'lock'>,
  ): Promise<HeldLevels> {
    const byKey = new Map(levels.map((level) => [level.key, level]));
    for (const key of [...byKey.keys()].sort()) await engine.lock(trx, `level/${key}`);
    const projects = new Set([...byKey.values()].flatMap((level) => level.projects));
    const held = new HeldLevels(now, await readProjectUses(trx, [...projects].sort(), now));
    for (const { key, projects: own } of byKey.values()) {
      const sum = { used: 0n, left: 0n };
      for (const project of own) {
        const use = held.#projects.get(project) ?? NOTHING;
        sum.used += use.used;
        sum.left += use.left;
      }
      held.#levels.set(key, sum);
    }
    return held;
  }

  states(levels: readonly Level[]): LevelState[] {
    const month = utcMonth(this.#now);
    return levels.map((level) => {
      const sum = this.#levels.get(level.key) ?? NOTHING;
      return { level, use: { month, ...sum, asOf: this.#now } };
    });
  }

  /** A project's part in what its team has left. */
  leftOf(project: string): Nanocredits {
    return this.#projects.get(project)?.left ?? 0n;
  }

  /** Of a hold that was admitted. */
  take(
    { project, limited }: { readonly project: string; readonly limited: boolean },
    levels: readonly Level[],
    cost: Nanocredits,
  ): void {
    const own = this.#projects.get(project);
    for (const sum of [own, ...levels.map(({ key }) => this.#levels.get(key))]) {
      if (sum === undefined) continue;
      sum.used += cost;
      if (limited) sum.left -= cost;
    }
  }
}
