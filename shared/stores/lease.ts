import type { Instant } from '../values/instant.ts';

/** A right to do something alone, for a time. */
export interface Lease {
  /** What it is about, such as `meter/shard-3` or `rollup/etl`. */
  readonly name: string;
  /** Who holds it: unique to a process's life. */
  readonly holder: string;
  /**
   * The fencing token: rises with each new holder of the name. A store refuses writes under an older
   * one, so that a holder that slept past its lease can't write. Source: M. Kleppmann, "How to do
   * distributed locking", 2016.
   */
  readonly token: bigint;
  /** By the store's clock. */
  readonly until: Instant;
}

export interface LeaseStore extends AsyncDisposable {
  /** The lease, when nobody holds it or the holder's time is over; undefined when another has it. */
  acquire(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  /** The lease with a later end and the same token; undefined when another holder has taken it. */
  renew(lease: Lease, ttlMs: number): Promise<Lease | undefined>;
  /** The leases that somebody holds now of those named `family/…`, by name. */
  held(family: string): Promise<Lease[]>;
  /** Free for the next at once. A lease that another has taken is left alone. */
  release(lease: Lease): Promise<void>;
}

/** The part of a lease that a write carries; older than the store's, it is refused with FENCED. */
export type Fence = Pick<Lease, 'name' | 'token'>;
