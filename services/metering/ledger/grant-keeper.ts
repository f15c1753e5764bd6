import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Level } from '../../../shared/grants/evaluate-levels.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { GrantStore } from '../../../shared/stores/grant-store.ts';
import type { HeldLease } from '../../../shared/stores/held-lease.ts';
import type { LevelStore } from '../../../shared/stores/level-store.ts';

/** Each is a transaction of its own of a few milliseconds. */
const PROJECTS_MAX = 20;

/** The levels above projects, and where their sums are kept. */
export interface KeptLevels {
  readonly store: LevelStore;
  readonly levels: readonly Level[];
}

/** What is done with grants when their time has come, whether or not anybody uses anything. */
export class GrantKeeper {
  readonly #grants: Pick<GrantStore, 'keepDue'>;
  readonly #levels: KeptLevels | undefined;
  readonly #clock: Clock;
  readonly #lease: HeldLease | undefined;

  /** @param deps.lease where several meters share a ledger: one of them keeps its grants */
  constructor(deps: {
    readonly grants: Pick<GrantStore, 'keepDue'>;
    readonly levels: KeptLevels | undefined;
    readonly clock: Clock;
    readonly lease: HeldLease | undefined;
  }) {
    this.#grants = deps.grants;
    this.#levels = deps.levels;
    this.#clock = deps.clock;
    this.#lease = deps.lease;
  }

  /** Until no project is due, and then the sums of levels; nothing while another meter has the lease. */
  async run(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      const fence = await this.#lease?.fence();
      if (this.#lease !== undefined && fence === undefined) return;
      try {
        const kept = await this.#grants.keepDue(this.#clock.now(), PROJECTS_MAX, fence);
        if (kept < PROJECTS_MAX) {
          await this.#levels?.store.keep(this.#levels.levels, this.#clock.now(), fence);
          return;
        }
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'FENCED') throw error;
        this.#lease?.lost();
        return;
      }
      // SQLite answers without leaving the thread: let what else it serves have a turn.
      await setImmediate();
    }
  }
}
