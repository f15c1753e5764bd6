import type { Notification } from '../../../../../shared/contracts/notification.ts';
import { formatInstant } from '../../../../../shared/values/instant.ts';
import type { DescribedAlert } from '../message/describe-alert.ts';
import { describeNotification } from '../message/describe-notification.ts';
import { concernsIncident, incidentKey } from './incident-key.ts';
import type { FormatContext, WebhookFormat, WebhookRequest } from './webhook-format.ts';

/** Of 512 KB that an event may have, details take a part. */
const ALERTS_MAX = 20;

function details(alert: DescribedAlert): Record<string, string> {
  const rows = alert.rows.map(({ name, text }) => [name, text] as const);
  const next = alert.consequences.map(
    ({ what, prevention }) => `${what}. To stop that: ${prevention}`,
  );
  return Object.fromEntries([
    ['What', alert.title],
    ...rows,
    ...(next.length > 0 ? [['Next', next.join(' ')] as const] : []),
    ...(alert.description !== '' ? [['Description', alert.description] as const] : []),
  ]);
}

function trigger(notification: Notification, { consoleUrl }: FormatContext) {
  const described = describeNotification(notification, consoleUrl);
  const { headline, severity, project, text, firing, more } = described;
  const [first] = firing;
  const target = notification.firing[0]?.alert.target;
  return {
    payload: {
      summary: headline,
      source: target?.cluster || target?.id || 'tollgate',
      severity,
      timestamp: formatInstant(notification.at),
      component: target?.id ?? '',
      group: project,
      class: first?.rule ?? '',
      custom_details: {
        ...(text !== '' && { text }),
        alerts: firing.slice(0, ALERTS_MAX).map(details),
        more: more.firing + Math.max(0, firing.length - ALERTS_MAX),
      },
    },
    links: [...described.links, ...firing.slice(0, ALERTS_MAX).flatMap(({ links }) => links)].map(
      ({ label, url }) => ({ href: url, text: label }),
    ),
    client: 'Tollgate',
    ...(consoleUrl !== '' && { client_url: consoleUrl }),
  };
}

/** PagerDuty's Events API v2: one incident a group, opened, kept up to date and closed by its key. */
export function pagerdutyFormat(routingKey: string): WebhookFormat {
  return (notification, context): WebhookRequest | undefined => {
    if (!concernsIncident(notification)) return undefined;
    const isOver = notification.status === 'resolved';
    return {
      body: {
        routing_key: routingKey,
        event_action: isOver ? 'resolve' : 'trigger',
        dedup_key: incidentKey(notification),
        ...(isOver ? {} : trigger(notification, context)),
      },
    };
  };
}
