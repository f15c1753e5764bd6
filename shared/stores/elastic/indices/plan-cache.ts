import { AppError } from '../../../errors/app-error.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Instant } from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import type { IndexPlaces } from './places.ts';
import { type IndexPlan, isAppendedTo } from './plan.ts';
import { PlannedPlaces } from './plan-places.ts';

export interface IndexPlanCacheParts {
  /** The newest plan, such as `async () => (await home.read()).plan`. */
  readonly read: () => Promise<IndexPlan>;
  /** Of the log indices, such as `tollgate-logs`. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly refreshMs: number;
  readonly maxAgeMs: number;
  /** Told of each refresh that failed; the plan read before goes on until it is too old. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The newest plan's places, read again every `refreshMs`. Nobody places a record by a plan read
 * longer than `maxAgeMs` ago: `leadMs` counts on it.
 */
export class IndexPlanCache implements IndexPlaces, AsyncDisposable {
  readonly #parts: IndexPlanCacheParts;
  readonly #stop = new AbortController();
  #plan: IndexPlan;
  #places: PlannedPlaces;
  #readAtMs: number;
  #refused: AppError | undefined;
  #loop: Promise<void> = Promise.resolve();

  private constructor(parts: IndexPlanCacheParts, plan: IndexPlan, readAtMs: number) {
    this.#parts = parts;
    this.#plan = plan;
    this.#places = new PlannedPlaces(parts.prefix, plan);
    this.#readAtMs = readAtMs;
  }

  /** Throws what `read` throws: without a plan there is no place. */
  static async open(parts: IndexPlanCacheParts): Promise<IndexPlanCache> {
    const readAtMs = parts.clock.elapsed();
    const cache = new IndexPlanCache(parts, await parts.read(), readAtMs);
    cache.#loop = cache.#refresh();
    return cache;
  }

  /** Throws STORE_UNAVAILABLE when the plan is too old to write by. */
  place(project: ProjectId, at: Instant): string {
    this.#check();
    return this.#places.place(project, at);
  }

  /** Throws STORE_UNAVAILABLE when the plan is too old. */
  places(project: ProjectId, from: Instant, until: Instant): readonly string[] {
    this.#check();
    return this.#places.places(project, from, until);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  #check(): void {
    if (this.#refused !== undefined) throw this.#refused;
    const ageMs = this.#parts.clock.elapsed() - this.#readAtMs;
    if (ageMs <= this.#parts.maxAgeMs) return;
    throw new AppError(
      'STORE_UNAVAILABLE',
      `The index plan was last read ${Math.round(ageMs / 1_000)} s ago; Elasticsearch does not answer.`,
    );
  }

  async #refresh(): Promise<void> {
    const { clock, refreshMs, onFailure } = this.#parts;
    const { signal } = this.#stop;
    for (;;) {
      await clock.sleep(refreshMs, signal);
      if (signal.aborted) return;
      try {
        await this.#readAgain();
      } catch (error) {
        onFailure(error);
      }
    }
  }

  async #readAgain(): Promise<void> {
    // Dated by its start: an entry stored while the answer was on its way may be missing in it.
    const readAtMs = this.#parts.clock.elapsed();
    const plan = await this.#parts.read();
    if (!isAppendedTo(this.#plan, plan)) {
      this.#refused = new AppError(
        'STORE_MISCONFIGURED',
        'The index plan was edited or made anew while records were written by it; restore its ' +
          'index, then restart.',
      );
      throw this.#refused;
    }
    if (
      plan.entries.length + plan.pools.length >
      this.#plan.entries.length + this.#plan.pools.length
    ) {
      this.#places = new PlannedPlaces(this.#parts.prefix, plan);
      this.#plan = plan;
    }
    this.#refused = undefined;
    this.#readAtMs = readAtMs;
  }
}
