import type { Instant } from '../values/instant.ts';
import type { ApplicationCost } from './ledger-reader.ts';

/** Names one application. */
export interface ApplicationRef {
  readonly cluster: string;
  readonly application: string;
}

/** A container as it was last settled. */
export interface WatchedContainer extends ApplicationRef {
  readonly container: string;
  readonly attempt: string;
  readonly state: 'running' | 'ended';
  readonly start: Instant;
  /** Last evidence while it runs. */
  readonly end: Instant;
  readonly witnessedUntil: Instant;
  /** See shared/rating/outcome. */
  readonly outcome: string;
}

/**
 * Applications of all projects at once, for those who watch the platform and answer nobody's
 * question about a project: each application carries its project.
 */
export interface ApplicationWatch {
  /**
   * What was stored by then is in all that the others answer; undefined until every
   * shard was settled once.
   */
  settledUntil(): Promise<Instant | undefined>;
  /**
   * Applications that ran at `at`, by what is known today; the longest-running first. Of an
   * application that ended without anybody telling when, only that it doesn't run now is known: it
   * is not among them.
   */
  runningAt(at: Instant, limit: number): Promise<ApplicationCost[]>;
  /** Applications that were told to have ended in `[from, until)`, in the order of their ends. */
  ended(
    window: { readonly from: Instant; readonly until: Instant },
    limit: number,
  ): Promise<ApplicationCost[]>;
  /** Containers of these applications that run, or that ended at or after `since`; earliest start first. */
  containers(
    applications: readonly ApplicationRef[],
    since: Instant,
    limit: number,
  ): Promise<WatchedContainer[]>;
  /** Those of these applications that run under a reservation, as applicationKey. */
  reserved(applications: readonly ApplicationRef[]): Promise<ReadonlySet<string>>;
}
