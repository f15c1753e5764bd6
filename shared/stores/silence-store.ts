import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** A condition on one label, as Alertmanager's API v2 writes it; a label that isn't there is ''. */
export interface LabelMatcher {
  readonly name: string;
  readonly value: string;
  /** `value` is a regular expression (RE2) that must match the whole label. */
  readonly isRegex: boolean;
  /** False: what matches is left out. */
  readonly isEqual: boolean;
}

/** Alerts with these labels aren't told of, for a time. What they do goes on. */
export interface Silence {
  readonly id: string;
  /** All of them must match. */
  readonly matchers: readonly LabelMatcher[];
  /** Who asked for it. */
  readonly author: string;
  readonly comment: string;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly createdAt: Instant;
  /** The only project whose alerts it mutes; undefined for a silence of the whole platform. */
  readonly project: ProjectId | undefined;
  /** Receiver that is told before it ends; undefined for those that it mutes. */
  readonly receiver: string | undefined;
  /** Who ended it early; '' when nobody did. */
  readonly endedBy: string;
}

/** Silences. One that is over stays listed until it is forgotten. */
export interface SilenceStore {
  /**
   * The same again is a no-op.
   *
   * @throws AppError CONFLICT when the id is taken by another
   */
  create(silence: Silence): Promise<void>;
  /** Ends it at `at`, when that is before its end; one that hasn't begun never does. */
  end(id: string, at: Instant, by: string): Promise<'ended' | 'already-over' | 'unknown'>;
  silence(id: string): Promise<Silence | undefined>;
  /** Those that end after `endedSince`, the next to end first; of one project, or all. */
  silences(
    endedSince: Instant,
    filter?: { readonly project?: ProjectId; readonly limit?: number },
  ): Promise<Silence[]>;
  /** Takes those that ended before `before` away. */
  forget(before: Instant): Promise<number>;
}
