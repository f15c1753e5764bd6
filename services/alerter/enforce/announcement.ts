import {
  dueAt,
  type EnforcementAction,
  type EnforcementLevel,
} from '../../../shared/contracts/action.ts';
import type { Alert } from '../../../shared/contracts/alert.ts';
import type { Consequence, Notification } from '../../../shared/contracts/notification.ts';
import type { ExtendLinks } from '../../../shared/tokens/extend-link.ts';
import { formatInstant, type Instant } from '../../../shared/values/instant.ts';

const DOES: Readonly<Record<EnforcementLevel, string>> = {
  notify: 'is the next to be acted on',
  'deny-new-work': 'gets no new work in',
  'cap-executors': 'is moved to where its executors are capped',
  'graceful-stop': 'is stopped between two batches',
  kill: 'is killed',
  'terminate-cluster': 'is terminated with all that runs on it',
};

/** What is done to whom, in words; ids are tenants' text. */
function whatItDoes({ level, target }: EnforcementAction): string {
  return `${target.kind} ${target.id} ${DOES[level]}`;
}

export interface ConsequenceDeps {
  /** Undefined where no links are configured. */
  readonly links: ExtendLinks | undefined;
  /** How often one action may be put off. */
  readonly extensionsMax: (action: EnforcementAction) => number;
}

/** What an action that waits will do, as messages say it. */
export function consequenceOf(
  action: EnforcementAction,
  now: Instant,
  { links, extensionsMax }: ConsequenceDeps,
): Consequence {
  const mayExtend = links !== undefined && action.extensions < extensionsMax(action);
  const asked = mayExtend ? ', put it off by the link' : '';
  return {
    action: action.id,
    does: whatItDoes(action),
    at: dueAt(action, now),
    prevention: `end its cause${asked}, or ask an operator for an exemption of ${action.id}`,
    extendUrl: mayExtend ? links.url(action) : undefined,
  };
}

export function announcementId({ id }: Pick<EnforcementAction, 'id'>, receiver: string): string {
  return `${id}/${receiver}`;
}

/** The message without which nothing is done. */
export function announcementOf(
  action: EnforcementAction,
  alert: Alert,
  options: { readonly receiver: string; readonly now: Instant } & ConsequenceDeps,
): Notification {
  const { receiver, now } = options;
  const consequence = consequenceOf(action, now, options);
  return {
    id: announcementId(action, receiver),
    receiver,
    groupKey: `enforcement/${action.policy}/${action.alert}`,
    groupLabels: { policy: action.policy, alertname: alert.rule },
    reason: 'announcement',
    status: 'firing',
    project: action.project,
    firing: [{ alert, consequences: [consequence] }],
    ended: [],
    more: { firing: 0, ended: 0 },
    text: `${consequence.does}, ${formatInstant(consequence.at)} or later, by policy ${action.policy}.`,
    at: now,
  };
}

/** Tells operators that enforcement stopped itself. */
export function brakeNotification(
  brake: { readonly reason: string; readonly detail: string },
  receiver: string,
  now: Instant,
): Notification {
  return {
    id: `enforcement-brake-${now}/${receiver}`,
    receiver,
    groupKey: 'enforcement/brake',
    groupLabels: { alertname: 'EnforcementBrake' },
    reason: 'announcement',
    status: 'firing',
    project: undefined,
    ...{ firing: [], ended: [], more: { firing: 0, ended: 0 } },
    text:
      `Enforcement stopped itself: ${brake.detail}. Nothing is done until somebody has looked ` +
      'and released the brake.',
    at: now,
  };
}
