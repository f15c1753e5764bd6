import type { LedgerAnomaly } from '../contracts/anomaly.ts';
import type { ClockPair } from '../intervals/clock-skew.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** What the witnesses got wrong, or each other. */
export interface AnomalyReader {
  /** Anomalies of facts with `at` in `[from, until)`, oldest first. */
  anomalies(
    project: ProjectId,
    window: { readonly from: Instant; readonly until: Instant },
    page: {
      readonly limit: number;
      /** Of this kind only. */
      readonly anomaly?: string;
      /** From the page before. */
      readonly cursor?: string;
    },
  ): Promise<{ anomalies: LedgerAnomaly[]; cursor?: string }>;
  /** How the clocks of a cluster's witnesses were apart, over its newest containers. */
  clockPairs(cluster: string): Promise<ClockPair[]>;
}
