import type { RoleAmount, SlotParts } from '../rating/where-it-went.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { ProjectId } from '../values/project-id.ts';

/** What an application was charged in a window. */
export interface ApplicationSpending {
  readonly cluster: string;
  readonly application: string;
  /** A row for each role, in order of role. */
  readonly amounts: readonly RoleAmount[];
  /** Of all its attempts, over its whole life so far; undefined while nobody told. */
  readonly slots: SlotParts | undefined;
}

/** What was charged for the use of one UTC hour, and how much of the cores it was. */
export interface HourlySpending {
  readonly hour: Instant;
  readonly amount: Nanocredits;
  readonly millicoreMs: bigint;
}

/** Which charges count: all of the project's, a cluster's, or one application's. */
export interface SpendingFilter {
  readonly cluster?: string;
  /** Only with its cluster. */
  readonly application?: string;
}

/** Sums of the ledger's rows, corrections included, by the hour in which something was used. */
export interface SpendingReader {
  /** Each application with rows in `[from, until)`, in order of cluster and application. */
  spending(
    project: ProjectId,
    window: { readonly from: Instant; readonly until: Instant },
    filter?: SpendingFilter,
  ): Promise<ApplicationSpending[]>;
  /** Hours in `[from, until)` that have rows, in order. */
  hourlySpending(
    project: ProjectId,
    window: { readonly from: Instant; readonly until: Instant },
    filter?: SpendingFilter,
  ): Promise<HourlySpending[]>;
}
