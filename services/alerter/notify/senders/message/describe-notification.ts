import { SEVERITIES, type Severity } from '../../../../../shared/contracts/alert.ts';
import type {
  Notification,
  NotificationReason,
} from '../../../../../shared/contracts/notification.ts';
import { type DescribedAlert, describeAlert, type Link } from './describe-alert.ts';
import { plainLine } from './plain-line.ts';

/** A notification in words, before a medium lays it out. */
export interface DescribedNotification {
  /** One line that says it all: state, severity, project, what. For subjects and push messages. */
  readonly headline: string;
  readonly status: Notification['status'];
  /** Of the worst alert it tells of. */
  readonly severity: Severity;
  readonly project: string;
  /** Why it comes now, as people read it; '' for a first one. */
  readonly reason: string;
  readonly text: string;
  readonly firing: readonly DescribedAlert[];
  readonly ended: readonly DescribedAlert[];
  readonly more: Notification['more'];
  readonly links: readonly Link[];
}

const REASONS: Readonly<Record<NotificationReason, string>> = {
  'first-notification': '',
  'new-alerts-in-group': 'new alerts in this group',
  'all-resolved': 'all of this group have ended',
  'new-resolved-alerts': 'some of this group have ended',
  'repeat-interval-elapsed': 'still firing',
  announcement: 'announces what will be done',
  'action-taken': 'tells what was done',
  'silence-ends-soon': 'a silence ends soon',
  'silence-ended': 'a silence has just ended',
  test: 'a test, nothing is wrong',
};

const TEXT_MAX = 2_000;
const HEADLINE_MAX = 220;

function worstOf(alerts: readonly DescribedAlert[]): Severity {
  const ranks = alerts.map(({ severity }) => SEVERITIES.indexOf(severity));
  return SEVERITIES[Math.max(0, ...ranks)] ?? 'info';
}

function stateWord(notification: Notification, told: readonly DescribedAlert[]): string {
  if (notification.reason === 'test') return 'TEST';
  if (told.length === 0) return 'NOTICE';
  if (notification.status === 'firing') return 'FIRING';
  return told.every(({ state }) => state === 'gone') ? 'GONE' : 'RESOLVED';
}

function headlineOf(notification: Notification, told: readonly DescribedAlert[]): string {
  const total = told.length + totalMore(notification);
  const projects = [...new Set(told.map(({ project }) => project))];
  const project =
    notification.project ?? (projects.length <= 1 ? projects[0] : `${projects.length} projects`);
  const first = told[0];
  const what = first === undefined ? plainLine(notification.text, 120) : first.title;
  const parts = [
    `[${stateWord(notification, told)}${total > 1 ? ` ${total}` : ''}]`,
    first === undefined ? '' : `${worstOf(told)} ·`,
    project === undefined ? '' : `${project} ·`,
    what,
    total > 1 ? `(+${total - 1} more)` : '',
  ];
  return plainLine(parts.filter((part) => part !== '').join(' '), HEADLINE_MAX);
}

function totalMore({ status, more }: Notification): number {
  return status === 'firing' ? more.firing : more.ended;
}

/** Where people look further: the console, if the installation has one that they reach. */
export function consoleLink(consoleUrl: string): readonly Link[] {
  return consoleUrl === '' ? [] : [{ label: 'Open Tollgate', url: consoleUrl }];
}

/** @param consoleUrl of the installation; '' for none */
export function describeNotification(
  notification: Notification,
  consoleUrl: string,
): DescribedNotification {
  const { firing, ended, status, reason, at } = notification;
  const described = {
    firing: firing.map((alert) => describeAlert(alert, at)),
    ended: ended.map((alert) => describeAlert(alert, at)),
  };
  const told = status === 'firing' ? described.firing : described.ended;
  return {
    ...described,
    headline: headlineOf(notification, told),
    status,
    severity: worstOf(told),
    project: notification.project ?? told[0]?.project ?? 'platform',
    reason: REASONS[reason],
    text: plainLine(notification.text, TEXT_MAX),
    more: notification.more,
    links: consoleLink(consoleUrl),
  };
}
