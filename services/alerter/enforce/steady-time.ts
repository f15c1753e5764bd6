/**
 * Time that enforcers have lived through. It goes on from what is stored, by what this process's
 * monotonic clock measured between two of its own ticks under one lease; whatever lies between two
 * holders isn't counted, so that it never runs ahead of real time.
 */
export class SteadyTime {
  #last:
    | { readonly token: bigint; readonly steadyMs: number; readonly elapsed: number }
    | undefined;

  /** What it is now, in whole milliseconds. */
  at(stored: number, token: bigint, elapsed: number): number {
    const last = this.#last;
    if (last?.token !== token || last.steadyMs !== stored) return stored;
    return stored + Math.max(0, Math.floor(elapsed - last.elapsed));
  }

  /** What was stored as of `elapsed`. */
  kept(steadyMs: number, token: bigint, elapsed: number): void {
    this.#last = { token, steadyMs, elapsed };
  }

  /** Whether it was stored isn't known. */
  lost(): void {
    this.#last = undefined;
  }
}
