import type { AlertStore } from '../../shared/stores/alert-store.ts';
import type { Fence } from '../../shared/stores/lease.ts';

type Change = Parameters<AlertStore['save']>[0];

interface Waiting {
  readonly change: Change;
  readonly saved: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Saves of rules that are evaluated at once, in as few transactions as they come: what arrives while
 * one is on its way goes with the next. They stand or fall together. Bounded by who waits: each
 * evaluation does.
 */
export class GroupedSaves {
  readonly #store: Pick<AlertStore, 'save'>;
  readonly #fence: Fence | undefined;
  #waiting: Waiting[] = [];
  #isSaving = false;

  constructor(store: Pick<AlertStore, 'save'>, fence: Fence | undefined) {
    this.#store = store;
    this.#fence = fence;
  }

  /** Resolves once it is kept. @throws as AlertStore.save, for all that went together */
  save(change: Change): Promise<void> {
    return new Promise((saved, failed) => {
      this.#waiting.push({ change, saved, failed });
      if (!this.#isSaving) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isSaving = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#store.save(
          {
            alerts: group.flatMap(({ change }) => change.alerts),
            transitions: group.flatMap(({ change }) => change.transitions),
            health: group.flatMap(({ change }) => change.health),
          },
          this.#fence,
        );
        for (const { saved } of group) saved();
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    this.#isSaving = false;
  }
}
