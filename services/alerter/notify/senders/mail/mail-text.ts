import type { DescribedAlert } from '../message/describe-alert.ts';
import type { DescribedNotification } from '../message/describe-notification.ts';

/** Lines of a plain text mail; no line begins as a header or a quotation would. */
function alertText(alert: DescribedAlert): string[] {
  const { title, state, severity, project, rule, description, rows, consequences, links } = alert;
  return [
    `* ${title}`,
    `  ${state} | ${severity} | ${project} | ${rule}`,
    ...consequences.flatMap(({ what, prevention, extendUrl }) => [
      `  NEXT: ${what}`,
      `  To stop that: ${prevention}`,
      ...(extendUrl === undefined ? [] : [`  Put it off: ${extendUrl}`]),
    ]),
    ...rows.map((row) => `  ${row.name}: ${row.text}`),
    ...links.map(({ label, url }) => `  ${label}: ${url}`),
    ...(description === '' ? [] : [`  ${description}`]),
    '',
  ];
}

function listText(title: string, alerts: readonly DescribedAlert[], more: number): string[] {
  if (alerts.length === 0 && more === 0) return [];
  return [
    `${title} (${alerts.length + more})`,
    '',
    ...alerts.flatMap(alertText),
    ...(more > 0 ? [`  +${more} more`, ''] : []),
  ];
}

function notificationText(described: DescribedNotification): string[] {
  const { headline, reason, text, firing, ended, more } = described;
  return [
    headline,
    ...(reason === '' ? [] : [`(${reason})`]),
    '',
    ...(text === '' ? [] : [text, '']),
    ...listText('Firing', firing, more.firing),
    ...listText('Ended', ended, more.ended),
  ];
}

/** The text part of a mail about one notification, or of a digest of several. */
export function mailText(described: readonly DescribedNotification[]): string {
  const links = described[0]?.links ?? [];
  return [
    ...described.flatMap((one, i) => [
      ...(i === 0 ? [] : ['-'.repeat(60), '']),
      ...notificationText(one),
    ]),
    ...links.map(({ label, url }) => `${label}: ${url}`),
    'Sent by Tollgate, because a route of its alerts names this address.',
    '',
  ].join('\n');
}
