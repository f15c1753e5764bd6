import type { CostShare } from '../rating/split-shared.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { RateCard } from '../values/rate-card.ts';
import type { Quantity } from './charge.ts';
import type { ApplicationActivity, ContainerRole } from './container-fact.ts';

/** Where executors' slot time went, in ms of one task slot; the five parts add up to `slotMs`. */
export type SlotSplit = Omit<ApplicationActivity, 'cluster' | 'application' | 'attempt' | 'at'>;

/** What the containers of one role used and cost. Exact: rows add up to every total above them. */
export interface UseRow {
  readonly role: ContainerRole;
  readonly containers: number;
  readonly quantity: Quantity;
  readonly amount: Nanocredits;
  /** The part of `amount` whose containers' end was concluded; the rest is exact. */
  readonly inferred: Nanocredits;
}

/** Something that a reader of the numbers has to know, and how often it happened. */
export interface ReportNote {
  readonly kind: string;
  readonly text: string;
  readonly times: number;
}

/** One attempt of an application, as its event log tells it. Strings are the log's, not cleaned. */
export interface ReportedAttempt {
  readonly application: string;
  readonly attempt: string;
  readonly name: string;
  readonly user: string;
  readonly queue: string;
  readonly project: ProjectId;
  readonly tags: Readonly<Record<string, string>>;
  readonly sparkVersion: string;
  readonly start: Instant;
  readonly end: Instant;
  readonly endInferred: boolean;
  readonly source: string;
  readonly rows: readonly UseRow[];
  readonly slots: SlotSplit;
  /** Sum of Spark's `Executor Run Time`. */
  readonly taskRunMs: number;
  /** What each of its sharers pays, adding up to its rows; empty unless they were asked for. */
  readonly shares: readonly CostShare[];
  readonly notes: readonly ReportNote[];
}

/** Attempts that belong together: of one application, one project, or one value of a tag. */
export interface CostGroup {
  /** Application id, project id or the tag's value; '' for what has no such tag. */
  readonly key: string;
  readonly attempts: readonly ReportedAttempt[];
  readonly rows: readonly UseRow[];
  readonly slots: SlotSplit;
  readonly taskRunMs: number;
  readonly shares: readonly CostShare[];
}

export interface CostReport {
  /** `application`, `project` or `tag:KEY`. */
  readonly by: string;
  /** `job-group`, `sql-user` or `session`, where applications are split over their sharers. */
  readonly sharedBy: string | undefined;
  /** How what nobody used was split: `by-use`, `even` or `owner`. */
  readonly unused: string;
  readonly rateCard: RateCard;
  readonly groups: readonly CostGroup[];
  /** All attempts as one group; its rows are the sums of the groups' rows. */
  readonly total: CostGroup;
  /** Files that could not be read, or not to their end. */
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
  /** Files that tell an attempt again that another file tells better. */
  readonly duplicates: readonly { readonly path: string; readonly of: string }[];
}
