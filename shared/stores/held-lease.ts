import type { Clock } from '../runtime/clock.ts';
import type { Fence, Lease, LeaseStore } from './lease.ts';

export interface HeldLeaseOptions {
  readonly store: LeaseStore;
  /** What is done alone, such as `meter`. */
  readonly name: string;
  /** Unique to this process's life. */
  readonly holder: string;
  readonly ttlMs: number;
  readonly clock: Clock;
}

/** A lease that this process gets when it is free, and keeps while it asks for it. */
export class HeldLease implements AsyncDisposable {
  readonly #options: HeldLeaseOptions;
  #lease: Lease | undefined;
  #renewedAt = 0;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
  }

  /**
   * What to write under now; undefined while another process has the lease. Asks the store once in a
   * third of the lease's time. That it is still held when the write arrives, the store must check.
   */
  async fence(): Promise<Fence | undefined> {
    const { store, name, holder, ttlMs, clock } = this.#options;
    const now = clock.elapsed();
    if (this.#lease !== undefined && now - this.#renewedAt < ttlMs / 3) return this.#lease;
    this.#lease =
      (this.#lease === undefined ? undefined : await store.renew(this.#lease, ttlMs)) ??
      (await store.acquire(name, holder, ttlMs));
    this.#renewedAt = now;
    return this.#lease;
  }

  /** Another has it, as a refused write told: it is asked for again. */
  lost(): void {
    this.#lease = undefined;
  }

  /** The next one needn't wait for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease !== undefined) await this.#options.store.release(lease);
  }
}
