import type { Notification, NotifiedAlert } from '../../../../../shared/contracts/notification.ts';
import { formatInstant } from '../../../../../shared/values/instant.ts';
import { alertmanagerAnnotations, alertmanagerLabels } from './alertmanager-alert.ts';
import type { FormatContext, WebhookRequest } from './webhook-format.ts';

/** Go's zero time: "has not ended". */
const NEVER = '0001-01-01T00:00:00Z';

function alertJson(
  { alert, consequences }: NotifiedAlert,
  status: 'firing' | 'resolved',
  { consoleUrl }: FormatContext,
) {
  return {
    status,
    labels: alertmanagerLabels(alert),
    annotations: alertmanagerAnnotations(alert, consequences),
    startsAt: formatInstant(alert.firedAt ?? alert.activeSince),
    endsAt: alert.endedAt === undefined ? NEVER : formatInstant(alert.endedAt),
    generatorURL: consoleUrl,
    fingerprint: alert.id.slice(0, 16),
  };
}

/** What all records say alike. */
function common(records: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...others] = records;
  const shared = Object.entries(first).filter(([name, value]) =>
    others.every((other) => Object.hasOwn(other, name) && other[name] === value),
  );
  return Object.fromEntries(shared);
}

/** The body that receivers of Alertmanager's webhooks read, version 4 (prometheus.io, webhook_config). */
export function alertmanagerBody(
  notification: Notification,
  context: FormatContext,
): WebhookRequest {
  const { status, receiver, groupKey, groupLabels, firing, ended, more, text } = notification;
  const alerts = [
    ...firing.map((alert) => alertJson(alert, 'firing', context)),
    ...ended.map((alert) => alertJson(alert, 'resolved', context)),
  ];
  return {
    body: {
      version: '4',
      groupKey,
      truncatedAlerts: more.firing + more.ended,
      status,
      receiver,
      groupLabels,
      commonLabels: common(alerts.map(({ labels }) => labels)),
      commonAnnotations: {
        ...common(alerts.map(({ annotations }) => annotations)),
        ...(text !== '' && { text }),
      },
      externalURL: context.consoleUrl,
      alerts,
    },
  };
}
