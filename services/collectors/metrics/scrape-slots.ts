/** So many at a time; who comes first goes first. */
export class ScrapeSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Takes a slot, to be given back with `leave` also when the signal has aborted by then. */
  async enter(signal: AbortSignal): Promise<void> {
    if (this.#free > 0 || signal.aborted) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    // A slot goes from hand to hand.
    if (next === undefined) this.#free += 1;
    else next();
  }
}
