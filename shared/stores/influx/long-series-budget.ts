/**
 * How many long-term series each project may have, so that all together stay within a bound. What a
 * project has had once lies in the store for the whole retention, and so is never taken from it.
 */
export class LongSeriesBudget {
  readonly #most: number;
  readonly #had = new Map<string, number>();
  #sum = 0;

  /** @param most series of all projects */
  constructor(most: number) {
    this.#most = most;
  }

  /** A project had so many in one hour; fewer than before change nothing. */
  learn(project: string, series: number): void {
    const before = this.#had.get(project) ?? 0;
    if (series <= before) return;
    this.#had.set(project, series);
    this.#sum += series - before;
  }

  /** Most series that an hour of the project may have. */
  of(project: string): number {
    const own = this.#had.get(project) ?? 0;
    return Math.max(own, this.#most - (this.#sum - own));
  }
}
