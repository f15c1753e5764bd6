import type { Charge } from '../contracts/charge.ts';
import type { ApplicationActivity } from '../contracts/container-fact.ts';
import type { UseReading } from '../rating/evaluate-limits.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { PriceStep } from '../values/price-step.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { AnomalyReader } from './anomaly-reader.ts';
import type { ClusterUseReader } from './cluster-use-reader.ts';
import type { ApplicationView } from './ledger-writer.ts';

export interface Balance {
  readonly project: ProjectId;
  /** In force: given by now, less what has expired. */
  readonly granted: Nanocredits;
  readonly charged: Nanocredits;
  readonly accrued: Nanocredits;
  /** Held by reservations beyond what is charged and accrued under them. */
  readonly reserved: Nanocredits;
  /** Of running containers. */
  readonly millicores: number;
  /** Held by reservations beyond the containers that run under them. */
  readonly reservedMillicores: number;
  /** The part of `charged` of which the end of a container was inferred. */
  readonly inferred: Nanocredits;
  readonly perHour: Nanocredits;
  /** What was measured of its use, one a kind. */
  readonly readings: readonly UseReading[];
  /** Evidence up to here is in it. */
  readonly asOf: Instant;
  /** No grant was ever given: nothing is enforced. */
  readonly unlimited: boolean;
}

/** A balance, with how sure what is charged is. */
export interface SureBalance extends Balance {
  /** The part of `charged` of which the end of a container was inferred. */
  readonly inferred: Nanocredits;
}

export interface ApplicationCost extends ApplicationView {
  readonly charged: Nanocredits;
  /** The part of `charged` of which the end of a container was inferred. */
  readonly inferred: Nanocredits;
  readonly accrued: Nanocredits;
  readonly perHour: Nanocredits;
  readonly activity: ApplicationActivity | undefined;
}

/**
 * What the quota check needs, in one indexed read. Synchronous where the store is in the process,
 * since it stands in the path of every job's start.
 */
export interface QuotaReader {
  quota(
    project: ProjectId,
    pool: string,
    now: Instant,
  ):
    | { balance: Balance; step: PriceStep }
    | undefined
    | Promise<{ balance: Balance; step: PriceStep } | undefined>;
}

/** What the containers of one kind of an application came to. */
export interface OutcomeCost {
  /** As shared/rating/outcome names it; '' for those that did their work. */
  readonly outcome: string;
  readonly role: string;
  readonly attempt: string;
  readonly containers: number;
  readonly containerMs: bigint;
  readonly charged: Nanocredits;
}

export interface LedgerReader
  extends AsyncDisposable,
    QuotaReader,
    AnomalyReader,
    ClusterUseReader {
  /** Every project that was ever granted, charged or configured, `unattributed` included. */
  projects(): Promise<ProjectId[]>;
  /**
   * @param now reservations that have run out by then hold nothing, and grants have begun or expired;
   * without it both are as they were kept last
   */
  balance(project: ProjectId, now?: Instant): Promise<SureBalance | undefined>;
  /** Running applications of every project that has any, in one read. */
  runningCounts(): Promise<ReadonlyMap<ProjectId, number>>;
  applications(
    project: ProjectId,
    filter: {
      readonly state?: 'running' | 'ended';
      readonly limit: number;
      /** From the page before: newest start first. */
      readonly cursor?: string;
    },
  ): Promise<{ applications: ApplicationCost[]; cursor?: string }>;
  application(
    project: ProjectId,
    cluster: string,
    application: string,
  ): Promise<ApplicationCost | undefined>;
  /** What an application's charges come to, by what became of its containers. */
  outcomes(project: ProjectId, cluster: string, application: string): Promise<OutcomeCost[]>;
  /** Rows with `hour` in `[from, until)`, retracted ones included, in order of id. */
  charges(
    project: ProjectId,
    window: { readonly from: Instant; readonly until: Instant },
    page: { readonly limit: number; readonly after?: string },
  ): Promise<Charge[]>;
}
