import type { Alert } from '../../../shared/contracts/alert.ts';
import type { AlertStatus, NotifiedGroup } from '../../../shared/stores/notification-log.ts';
import type { Silence } from '../../../shared/stores/silence-store.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { NotificationDraft } from './notification-draft.ts';

/** All that a round of notifying follows from. */
export interface NotifyState {
  readonly now: Instant;
  /** Firing ones, those that ended lately, and all that a group in `groups` takes for firing. */
  readonly alerts: readonly Alert[];
  /** By group key. */
  readonly groups: ReadonlyMap<string, NotifiedGroup>;
  /** By alert. */
  readonly statuses: ReadonlyMap<string, AlertStatus>;
  /** Those that are, will be, and were lately. */
  readonly silences: readonly Silence[];
  /** Ids of alerts that come and go. */
  readonly flapping: ReadonlySet<string>;
  /** Inhibitors may not be known yet: alerts that may be inhibited wait. */
  readonly warmingUp: boolean;
}

/** What a round comes to; consequences are added to the drafts before it is written. */
export interface NotifyPlan {
  readonly drafts: readonly NotificationDraft[];
  readonly groups: readonly NotifiedGroup[];
  readonly closed: readonly string[];
  readonly statuses: readonly AlertStatus[];
  readonly cleared: readonly string[];
  /** Firing alerts that aren't told of, by what keeps them. */
  readonly suppressed: Readonly<Record<'silence' | 'inhibition' | 'time interval', number>>;
}
