import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Alert } from './alert.ts';

/** Why a group is told of now; the first five are Alertmanager's (notify/dedup_stage.go). */
export const NOTIFICATION_REASONS = [
  'first-notification',
  'new-alerts-in-group',
  'all-resolved',
  'new-resolved-alerts',
  'repeat-interval-elapsed',
  'announcement',
  'action-taken',
  'silence-ends-soon',
  'silence-ended',
  'test',
] as const;
export type NotificationReason = (typeof NOTIFICATION_REASONS)[number];

/** What will be done, when, and how to stop that; part of every message about its alert. */
export interface Consequence {
  /** Id of the action. */
  readonly action: string;
  /** As people read it, such as `stops the application`. */
  readonly does: string;
  readonly at: Instant;
  /** How to stop it, in words; a command or what to ask whom. */
  readonly prevention: string;
  /** Single-use; GET shows, POST acts. Undefined where nobody may put it off. A secret: never logged. */
  readonly extendUrl: string | undefined;
}

export interface NotifiedAlert {
  readonly alert: Alert;
  readonly consequences: readonly Consequence[];
}

/**
 * What one receiver is told at one moment: plain data, which senders print as their medium can.
 * Labels and annotations are tenants' text: every sender escapes them.
 */
export interface Notification {
  /** Follows from group, receiver and what is said, so that the same is put into the outbox once. */
  readonly id: string;
  /** Name of the receiver in the configuration. */
  readonly receiver: string;
  /** Messages of one group update or follow each other (Slack thread, mail References). */
  readonly groupKey: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly reason: NotificationReason;
  readonly status: 'firing' | 'resolved';
  /** Undefined where the group spans projects. */
  readonly project: ProjectId | undefined;
  /** Worst first; at most 50 of each, `more` counts the others. */
  readonly firing: readonly NotifiedAlert[];
  /** Resolved and gone. */
  readonly ended: readonly NotifiedAlert[];
  readonly more: { readonly firing: number; readonly ended: number };
  /** Said beside or instead of alerts (announcements, silences); plain text. */
  readonly text: string;
  readonly at: Instant;
}
