import type { NotificationDraft } from '../notify/notification-draft.ts';
import type { ExpectedNotification } from './rule-test-config.ts';

type Told = Pick<ExpectedNotification, 'receiver' | 'reason' | 'firing' | 'ended'>;

function text({ receiver, reason, firing, ended }: Told): string {
  const list = (names: readonly string[]): string => names.toSorted().join(', ') || 'none';
  return `${receiver} is told (${reason}) of firing: ${list(firing)}; ended: ${list(ended)}`;
}

/** How what was told differs from what was expected, each as often as it was. */
export function notificationDifferences(
  expected: readonly ExpectedNotification[],
  drafts: readonly NotificationDraft[],
): string[] {
  const told = drafts.map(({ receiver, reason, firing, ended }) => {
    const names = (alerts: NotificationDraft['firing']) => alerts.map(({ rule }) => rule);
    return text({ receiver, reason, firing: names(firing), ended: names(ended) });
  });
  const missing: string[] = [];
  for (const one of expected.map(text)) {
    const at = told.indexOf(one);
    if (at < 0) missing.push(`expected: ${one}`);
    else told.splice(at, 1);
  }
  return [...missing, ...told.map((one) => `unexpected: ${one}`)];
}
