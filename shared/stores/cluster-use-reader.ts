import type { Quantity } from '../contracts/charge.ts';
import type { Instant } from '../values/instant.ts';

/** What the containers of a cluster held in one UTC hour, whoever paid and how much. */
export interface ClusterUse {
  readonly hour: Instant;
  readonly quantity: Quantity;
  /** The part of it that no project could be charged for: of applications attributed to none. */
  readonly unallocated: Quantity;
  /** Part of it is of containers that run, and not charged yet: it may still change by the unit. */
  readonly provisional: boolean;
}

export interface ClusterUseReader {
  /** Hours in `[from, until)` in which a container held something, in order; whole hours. */
  clusterUse(
    cluster: string,
    window: { readonly from: Instant; readonly until: Instant },
  ): Promise<ClusterUse[]>;
}
