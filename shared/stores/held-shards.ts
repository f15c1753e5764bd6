import type { Clock } from '../runtime/clock.ts';
import type { Fence, Lease, LeaseStore } from './lease.ts';

export interface HeldShardsOptions {
  readonly store: LeaseStore;
  /** What is divided, such as `meter`: its leases are `meter/shard-3` and `meter/member-0`. */
  readonly name: string;
  /** The work has this many parts; more processes than parts wait. */
  readonly shards: number;
  /** Unique to this process's life. */
  readonly holder: string;
  readonly ttlMs: number;
  readonly clock: Clock;
  /**
   * Ends what is under way in a shard before another process may take it. When it rejects, the shard
   * isn't given back: its lease runs out.
   */
  readonly onRelease?: (shard: number) => Promise<void>;
}

/**
 * This process's fair share of work that is divided into shards. Every living process is a member;
 * each holds at most ⌈shards ÷ members⌉ leases, takes free ones, and gives back what it has too
 * many of. When a member comes or dies, the shares are even again within two lease times.
 */
export class HeldShards implements AsyncDisposable {
  readonly #options: HeldShardsOptions;
  readonly #held = new Map<number, Lease>();
  #membership: Lease | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: HeldShardsOptions) {
    this.#options = options;
  }

  /**
   * The shards to work on, each with what to write under; to be asked before each piece of work.
   * Asks the store once in a third of the leases' time, and each time while it holds nothing. That a shard is still held when a write
   * arrives, the store must check.
   */
  async fences(): Promise<ReadonlyMap<number, Fence>> {
    const { clock, ttlMs } = this.#options;
    const now = clock.elapsed();
    if (this.#held.size === 0 || now - this.#askedAt >= ttlMs / 3) {
      await this.#ask();
      this.#askedAt = now;
    }
    return this.#held;
  }

  /** Another has it, as a refused write told. */
  lost(shard: number): void {
    this.#held.delete(shard);
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  /** Asks the store at the next `fences()`, since a refused write told that something was lost. */
  recheck(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  /** The next ones needn't wait for the leases' end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { store } = this.#options;
    await this.#releaseAll([...this.#held.keys()]);
    const membership = this.#membership;
    this.#membership = undefined;
    if (membership !== undefined) await store.release(membership);
  }

  async #ask(): Promise<void> {
    const { store, name, shards, holder, ttlMs } = this.#options;
    await this.#renew();
    const others = (await store.held(name)).filter((lease) => lease.holder !== holder);
    const taken = new Set(others.map((lease) => lease.name));
    await this.#join(taken);
    const otherMembers = this.#memberNames().filter((member) => taken.has(member)).length;
    const share = this.#membership === undefined ? 0 : Math.ceil(shards / (otherMembers + 1));
    await this.#releaseAll([...this.#held.keys()].slice(share));
    for (let shard = 0; shard < shards && this.#held.size < share; shard += 1) {
      const shardName = this.#shardName(shard);
      if (taken.has(shardName)) continue;
      const lease = await store.acquire(shardName, holder, ttlMs);
      if (lease !== undefined) this.#held.set(shard, lease);
    }
  }

  async #renew(): Promise<void> {
    const { store, ttlMs } = this.#options;
    if (this.#membership !== undefined) {
      this.#membership = await store.renew(this.#membership, ttlMs);
    }
    for (const [shard, lease] of [...this.#held]) {
      const renewed = await store.renew(lease, ttlMs);
      if (renewed === undefined) this.#held.delete(shard);
      else this.#held.set(shard, renewed);
    }
  }

  /** Takes the first free place; the names are few, so that processes that died leave no rows. */
  async #join(taken: ReadonlySet<string>): Promise<void> {
    const { store, holder, ttlMs } = this.#options;
    for (const member of this.#memberNames()) {
      if (this.#membership !== undefined) return;
      if (taken.has(member)) continue;
      this.#membership = await store.acquire(member, holder, ttlMs);
    }
  }

  /** At the same time, since ending what is under way takes a while, in which leases run out. */
  async #releaseAll(shards: readonly number[]): Promise<void> {
    const released = await Promise.allSettled(shards.map((shard) => this.#release(shard)));
    for (const one of released) if (one.status === 'rejected') throw one.reason;
  }

  async #release(shard: number): Promise<void> {
    const { store, onRelease } = this.#options;
    const lease = this.#held.get(shard);
    this.#held.delete(shard);
    if (lease === undefined) return;
    await onRelease?.(shard);
    await store.release(lease);
  }

  #memberNames(): string[] {
    const { name, shards } = this.#options;
    return Array.from({ length: shards }, (_place, i) => `${name}/member-${i}`);
  }

  #shardName(shard: number): string {
    return `${this.#options.name}/shard-${shard}`;
  }
}
