import { createHash } from 'node:crypto';
import { type Alert, occurrenceOf, SEVERITIES } from '../../../shared/contracts/alert.ts';
import type { Notification, NotificationReason } from '../../../shared/contracts/notification.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** Alerts of a kind that a message shows. */
export const SHOWN_MAX = 50;

/** A notification whose alerts don't know their consequences yet. */
export interface NotificationDraft extends Omit<Notification, 'firing' | 'ended'> {
  readonly firing: readonly Alert[];
  readonly ended: readonly Alert[];
}

/** What is said of a group; all of its alerts. */
export interface Saying {
  readonly groupKey: string;
  readonly receiver: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly reason: NotificationReason;
  readonly firing: readonly Alert[];
  readonly ended: readonly Alert[];
  readonly text: string;
  /** When the group was told of before; tells a repetition apart from what it repeats. */
  readonly lastAt: Instant | undefined;
}

function worstFirst(a: Alert, b: Alert): number {
  return (
    SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) ||
    (a.firedAt ?? 0) - (b.firedAt ?? 0) ||
    (a.id < b.id ? -1 : 1)
  );
}

function commonProject(alerts: readonly Alert[]): ProjectId | undefined {
  const project = alerts[0]?.project;
  return alerts.every((alert) => alert.project === project) ? project : undefined;
}

/** The same words about the same occurrences, after the same message, have the same id. */
function idOf({ groupKey, receiver, reason, lastAt, text, ...saying }: Saying): string {
  const occurrences = [saying.firing, saying.ended].map((list) => list.map(occurrenceOf).sort());
  const said = canonicalJson([groupKey, receiver, reason, lastAt ?? 0, text, ...occurrences]);
  return createHash('sha256').update(said).digest('hex').slice(0, 40);
}

export function writeDraft(saying: Saying, now: Instant): NotificationDraft {
  const { groupKey, receiver, groupLabels, reason, text } = saying;
  const firing = saying.firing.toSorted(worstFirst);
  const ended = saying.ended.toSorted(worstFirst);
  return {
    id: idOf(saying),
    receiver,
    groupKey,
    groupLabels,
    reason,
    status: firing.length > 0 ? 'firing' : 'resolved',
    project: commonProject([...firing, ...ended]),
    firing: firing.slice(0, SHOWN_MAX),
    ended: ended.slice(0, SHOWN_MAX),
    more: {
      firing: Math.max(0, firing.length - SHOWN_MAX),
      ended: Math.max(0, ended.length - SHOWN_MAX),
    },
    text,
    at: now,
  };
}
