import type { Notification } from '../../../../../shared/contracts/notification.ts';
import { mailText } from '../mail/mail-text.ts';
import {
  type DescribedNotification,
  describeNotification,
} from '../message/describe-notification.ts';
import { clip } from '../message/plain-line.ts';
import { concernsIncident, incidentKey } from './incident-key.ts';
import type { FormatContext, WebhookRequest } from './webhook-format.ts';

/** Limits of the Alert API: docs.opsgenie.com, Create Alert. */
const MESSAGE_MAX = 130;
const DESCRIPTION_MAX = 15_000;
const NOTE_MAX = 25_000;

const PRIORITIES = { critical: 'P1', warning: 'P3', info: 'P5' };

/** The link that puts an action off is for those who are written to, not for another system's log. */
function withoutExtend(described: DescribedNotification): DescribedNotification {
  const firing = described.firing.map((alert) => ({
    ...alert,
    consequences: alert.consequences.map((one) => ({ ...one, extendUrl: undefined })),
  }));
  return { ...described, firing };
}

/** Opsgenie's Alert API v2: one alert a group, known by its alias. The URL is that of `/v2/alerts`. */
export function opsgenieFormat(
  notification: Notification,
  { consoleUrl }: FormatContext,
): WebhookRequest | undefined {
  if (!concernsIncident(notification)) return undefined;
  const alias = incidentKey(notification);
  const described = describeNotification(notification, consoleUrl);
  const text = mailText([withoutExtend(described)]);
  if (notification.status === 'resolved') {
    const note = clip(text, NOTE_MAX);
    return { path: `${alias}/close?identifierType=alias`, body: { source: 'Tollgate', note } };
  }
  const target = notification.firing[0]?.alert.target;
  return {
    body: {
      message: clip(described.headline, MESSAGE_MAX),
      alias,
      description: clip(text, DESCRIPTION_MAX),
      priority: PRIORITIES[described.severity],
      source: 'Tollgate',
      entity: clip(target?.id ?? '', 512),
      tags: ['tollgate', described.severity],
      details: { project: described.project, rule: clip(described.firing[0]?.rule ?? '', 500) },
    },
  };
}
