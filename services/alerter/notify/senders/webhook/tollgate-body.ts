import type { Notification, NotifiedAlert } from '../../../../../shared/contracts/notification.ts';
import { formatInstant, type Instant } from '../../../../../shared/values/instant.ts';
import type { WebhookRequest } from './webhook-format.ts';

function moment(at: Instant | undefined): string | null {
  return at === undefined ? null : formatInstant(at);
}

function alertJson({ alert, consequences }: NotifiedAlert) {
  const { target } = alert;
  return {
    id: alert.id,
    episode: alert.episode,
    rule: alert.rule,
    severity: alert.severity,
    state: alert.state,
    project: alert.project ?? null,
    target: { ...target, startedAt: moment(target.startedAt) },
    labels: alert.labels,
    annotations: alert.annotations,
    value: alert.value ?? null,
    unit: alert.unit,
    limit: alert.limit,
    activeSince: moment(alert.activeSince),
    firedAt: moment(alert.firedAt),
    endedAt: moment(alert.endedAt),
    cost: alert.cost ?? null,
    consequences: consequences.map(({ at, extendUrl, ...rest }) => ({
      ...rest,
      at: moment(at),
      extendUrl: extendUrl ?? null,
    })),
  };
}

/** Tollgate's own body, version 1; README.md has an example. Fields are added, never changed. */
export function tollgateBody(notification: Notification): WebhookRequest {
  const { id, receiver, groupKey, groupLabels, reason, status, project, more, text, at } =
    notification;
  return {
    body: {
      version: 1,
      id,
      receiver,
      groupKey,
      groupLabels,
      reason,
      status,
      project: project ?? null,
      text,
      at: moment(at),
      firing: notification.firing.map(alertJson),
      ended: notification.ended.map(alertJson),
      more,
    },
  };
}
