import type { ActionState, EnforcementAction } from '../../../shared/contracts/action.ts';
import type { Notification } from '../../../shared/contracts/notification.ts';
import type { Instant } from '../../../shared/values/instant.ts';

/** What an announced action came to, in words; undefined while it goes on. */
const SAYS: Partial<Readonly<Record<ActionState, string>>> = {
  verified: 'was done, and seen to be',
  failed: 'did not work',
  aborted: 'was called off',
  unknown: 'may or may not have been done: its answer was lost; look, then resolve it',
  reversed: 'was taken back',
};

function textOf({ level, target, policy, reason, detail, state }: EnforcementAction): string {
  const why = [reason, detail].filter((part) => part !== '').join(': ');
  const what = `${level} of ${target.kind} ${target.id} by policy ${policy} ${SAYS[state]}`;
  return why === '' ? `${what}.` : `${what} (${why}).`;
}

/**
 * Tells whoever had the announcement of an action what it came to: one message for each state that
 * ends it or that a person must look at. Ids follow from action and state, so that the outbox has each
 * once, however often it is told.
 */
export function outcomeNotifications(action: EnforcementAction, now: Instant): Notification[] {
  if (SAYS[action.state] === undefined || action.announcedAt === undefined) return [];
  if (action.means === 'none') return [];
  return action.announceTo.map((receiver) => ({
    id: `${action.id}/${action.state}/${receiver}`,
    receiver,
    groupKey: `enforcement/${action.policy}/${action.alert}`,
    groupLabels: { policy: action.policy, alertname: action.rule },
    reason: 'action-taken',
    status: 'firing',
    project: action.project,
    ...{ firing: [], ended: [], more: { firing: 0, ended: 0 } },
    text: textOf(action),
    at: now,
  }));
}
