import { createHash } from 'node:crypto';
import type { Notification } from '../../../../../shared/contracts/notification.ts';
import {
  type DescribedNotification,
  describeNotification,
} from '../message/describe-notification.ts';
import { plainLine } from '../message/plain-line.ts';
import type { Batch } from '../sender.ts';
import { mailHtml } from './mail-html.ts';
import { mailText } from './mail-text.ts';

/** A mail to one address, ready for the transport. */
export interface MailMessage {
  readonly to: string;
  readonly subject: string;
  /** With its angle brackets; the same whenever the same is sent to the same address again. */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string;
}

export interface MailSetup {
  readonly to: string;
  /** Right part of Message-Id and List-Id. */
  readonly domain: string;
  readonly consoleUrl: string;
}

const SUBJECT_MAX = 180;

/** Alerts laid out in one mail, a digest included; the others are counted. */
const ALERTS_MAX = 100;

/** The first alerts of all notifications, worst first within each; what is left out is counted. */
function foldAlerts(described: readonly DescribedNotification[]): DescribedNotification[] {
  const share = Math.max(1, Math.floor(ALERTS_MAX / described.length));
  return described.map((one) => {
    const firing = one.firing.slice(0, share);
    const ended = one.ended.slice(0, Math.max(0, share - firing.length));
    const more = {
      firing: one.more.firing + one.firing.length - firing.length,
      ended: one.more.ended + one.ended.length - ended.length,
    };
    return { ...one, firing, ended, more };
  });
}

/** Stable: a retry after a lost answer is the same mail, which readers and servers fold into one. */
function messageIdOf(ids: readonly string[], { to, domain }: MailSetup): string {
  const hash = createHash('sha256');
  for (const part of [...ids, to]) hash.update(`${part.length}:${part}`);
  return `<${hash.digest('hex').slice(0, 40)}@${domain}>`;
}

function subjectOf(described: readonly DescribedNotification[]): string {
  const [first] = described;
  if (first !== undefined && described.length === 1) return plainLine(first.headline, SUBJECT_MAX);
  const firing = described.filter(({ status }) => status === 'firing').length;
  const projects = [...new Set(described.map(({ project }) => project))];
  const whose = projects.length === 1 ? projects[0] : `${projects.length} projects`;
  const ended = described.length - firing;
  const counts = [
    ...(firing > 0 ? [`${firing} firing`] : []),
    ...(ended > 0 ? [`${ended} ended`] : []),
  ];
  return plainLine(`[DIGEST] ${whose} · ${counts.join(', ')}`, SUBJECT_MAX);
}

/** A list's id is what people filter by: one for each project (RFC 2919). */
function listIdOf(batch: readonly Notification[], domain: string): string {
  const projects = new Set(batch.map(({ project }) => project ?? 'platform'));
  const [project] = projects;
  return `<${projects.size === 1 ? project : 'platform'}.alerts.${domain}>`;
}

/** @param root Message-Id of the first mail about the group that still goes on; undefined for none */
export function mailMessage(batch: Batch, setup: MailSetup, root: string | undefined): MailMessage {
  const described = foldAlerts(batch.map((one) => describeNotification(one, setup.consoleUrl)));
  const subject = subjectOf(described);
  const messageId = messageIdOf(
    batch.map(({ id }) => id),
    setup,
  );
  const isUrgent = described.some(
    ({ status, severity }) => status === 'firing' && severity === 'critical',
  );
  return {
    to: setup.to,
    subject,
    messageId,
    headers: {
      'List-Id': listIdOf(batch, setup.domain),
      // No vacation notice answers this (RFC 3834; Exchange knows its own header).
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      ...(isUrgent && { Importance: 'high' }),
      ...(root !== undefined && root !== messageId && { 'In-Reply-To': root, References: root }),
    },
    text: mailText(described),
    html: mailHtml(subject, described),
  };
}
