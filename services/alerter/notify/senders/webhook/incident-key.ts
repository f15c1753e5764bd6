import { createHash } from 'node:crypto';
import type { Notification } from '../../../../../shared/contracts/notification.ts';

/**
 * One incident for each group and receiver: its firing, its news and its end carry the same key. A
 * test has one of its own.
 */
export function incidentKey({ id, receiver, groupKey, reason }: Notification): string {
  const name = reason === 'test' ? id : `${receiver.length}:${receiver}${groupKey}`;
  return `tollgate-${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
}

/** A notice beside alerts (silences) opens no incident, and neither does the end of nothing. */
export function concernsIncident({ reason, firing, ended }: Notification): boolean {
  return reason === 'test' || firing.length + ended.length > 0;
}
