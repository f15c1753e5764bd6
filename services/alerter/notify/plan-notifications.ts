import type { NotifiedGroup } from '../../../shared/stores/notification-log.ts';
import { decideGroup } from './decide-group.ts';
import { foldStorms } from './fold-storms.ts';
import { formGroups } from './form-groups.ts';
import { judgeAlerts } from './judge-alerts.ts';
import type { NotifyPlan, NotifyState } from './notify-state.ts';
import { planNotices } from './plan-notices.ts';
import type { Policy } from './policy.ts';

/**
 * Who is told what now. Pure: the same state gives the same plan with the same ids, so that what was
 * planned and lost before it was written is planned again.
 */
export function planNotifications(policy: Policy, state: NotifyState): NotifyPlan {
  const judged = judgeAlerts(policy, state);
  const groups = formGroups(policy, state, judged);
  const decisions = groups.flatMap((group) => decideGroup(group, policy, state) ?? []);
  const folded = foldStorms(policy, state, decisions);
  const notices = planNotices(policy, state, judged);
  const told = [...folded.groups, ...notices.groups];
  const kept = new Set(told.map(({ groupKey }) => groupKey));
  const live = new Set(groups.map(({ groupKey }) => groupKey));
  const closed = [...state.groups.values()]
    .filter((entry) => !kept.has(entry.groupKey) && isOver(entry, live, policy, state))
    .map(({ groupKey }) => groupKey);
  return {
    drafts: [...folded.drafts, ...notices.drafts],
    groups: told,
    closed,
    ...judged.statusChanges,
    suppressed: judged.suppressed,
  };
}

/** What is said within the window of a storm still counts for it, so that its entry is kept as long. */
function isOver(
  entry: NotifiedGroup,
  live: ReadonlySet<string>,
  { config }: Policy,
  { now, silences }: NotifyState,
): boolean {
  if (entry.groupKey.startsWith('silence/')) {
    return !silences.some(
      ({ id, endsAt }) => endsAt > now && entry.groupKey.startsWith(`silence/${id}/`),
    );
  }
  const nothingOwed = Object.keys(entry.firing).length === 0 || !live.has(entry.groupKey);
  return nothingOwed && entry.at + config.storm.within <= now;
}
