import type { Clock } from '../../shared/runtime/clock.ts';
import type { Instant } from '../../shared/values/instant.ts';

/** A clock that stands still until a test moves it; sleepers wake in the order of their times. */
export class FakeClock implements Clock {
  #now: Instant;
  readonly #start: Instant;
  #sleepers: { at: Instant; wake: () => void }[] = [];

  constructor(now: Instant = Date.UTC(2026, 10, 21, 9)) {
    this.#now = now;
    this.#start = now;
  }

  now(): Instant {
    return this.#now;
  }

  elapsed(): number {
    return this.#now - this.#start;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener(
        'abort',
        () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
          resolve();
        },
        { once: true },
      );
    });
  }

  /** How many wait; a test can await this before it moves the clock. */
  get sleepers(): number {
    return this.#sleepers.length;
  }

  /** Moves time, waking sleepers one by one, each with its own time, and letting their work run. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#sleepers = this.#sleepers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = until;
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves time at once, as after a machine's sleep: whoever was due wakes once, late. */
  async jump(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }
}
