import type { Alert, AlertEvidence, AlertTarget } from '../../contracts/alert.ts';
import type { Consequence, Notification, NotifiedAlert } from '../../contracts/notification.ts';

/** JSON leaves out what is undefined, and says null for a number that is none. */
type Stored<T> = { readonly [K in keyof T]: T[K] | null };

function evidenceFromJson(stored: Stored<AlertEvidence>): AlertEvidence {
  const { value, watermark } = stored;
  return {
    ...(stored as AlertEvidence),
    value: value ?? undefined,
    watermark: watermark ?? undefined,
  };
}

function targetFromJson(stored: Stored<AlertTarget>): AlertTarget {
  return { ...(stored as AlertTarget), startedAt: stored.startedAt ?? undefined };
}

/** What `JSON.stringify` made of an alert, as the alert again. */
export function alertFromJson(stored: Stored<Alert>): Alert {
  const alert = stored as Alert;
  return {
    ...alert,
    project: stored.project ?? undefined,
    target: targetFromJson(alert.target),
    value: stored.value ?? undefined,
    evidence: alert.evidence.map(evidenceFromJson),
    cost: stored.cost ?? undefined,
    firedAt: stored.firedAt ?? undefined,
    endedAt: stored.endedAt ?? undefined,
    clearingSince: stored.clearingSince ?? undefined,
    missingSince: stored.missingSince ?? undefined,
  };
}

function consequenceFromJson(stored: Stored<Consequence>): Consequence {
  return { ...(stored as Consequence), extendUrl: stored.extendUrl ?? undefined };
}

function notifiedFromJson({ alert, consequences }: NotifiedAlert): NotifiedAlert {
  return { alert: alertFromJson(alert), consequences: consequences.map(consequenceFromJson) };
}

/** What `JSON.stringify` made of a notification, as the notification again. */
export function notificationFromJson(stored: Stored<Notification>): Notification {
  const notification = stored as Notification;
  return {
    ...notification,
    project: stored.project ?? undefined,
    firing: notification.firing.map(notifiedFromJson),
    ended: notification.ended.map(notifiedFromJson),
  };
}
