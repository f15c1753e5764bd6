import type { Notification } from '../contracts/notification.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Fence } from './lease.ts';

/** What a receiver was told last of a group. */
export interface NotifiedGroup {
  readonly groupKey: string;
  readonly receiver: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  /** When it was told last. */
  readonly at: Instant;
  /** Alerts that the receiver takes for firing, with the episode that it was told of. */
  readonly firing: Readonly<Record<string, number>>;
  /** It was told of in a message about many groups, since there were too many for one each. */
  readonly folded: boolean;
}

/** Whether an alert is told of; if not, what keeps it from that. Vocabulary of Alertmanager's API v2. */
export interface AlertStatus {
  readonly alert: string;
  readonly state: 'active' | 'suppressed';
  /** Ids of silences. */
  readonly silencedBy: readonly string[];
  /** Ids of alerts. */
  readonly inhibitedBy: readonly string[];
  /** Names of time intervals, of its routes. */
  readonly mutedBy: readonly string[];
  /** Receivers whose routes it takes, muted ones included. */
  readonly receivers: readonly string[];
}

/** What one round of notifying comes to. */
export interface NotificationRound {
  readonly notifications: readonly Notification[];
  /** Told now. */
  readonly groups: readonly NotifiedGroup[];
  /** Group keys of which there is nothing more to tell. */
  readonly closed: readonly string[];
  /** Those that differ from what is stored. */
  readonly statuses: readonly AlertStatus[];
  /** Alerts that have none any more. */
  readonly cleared: readonly string[];
}

/** What was told to whom, written in one transaction with the messages that tell it. */
export interface NotificationLog {
  /** @throws AppError FENCED when another notifier has taken over */
  commit(round: NotificationRound, fence: Fence | undefined): Promise<void>;
  groups(): Promise<NotifiedGroup[]>;
  statuses(): Promise<AlertStatus[]>;
  /** Undefined for an alert that no notifier has looked at yet, or that is over. */
  status(alert: string): Promise<AlertStatus | undefined>;
  /** What was put into the outbox and isn't forgotten there, newest first. */
  notifications(filter: {
    readonly project?: ProjectId;
    readonly receiver?: string;
    readonly limit: number;
  }): Promise<Notification[]>;
}
