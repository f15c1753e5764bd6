import type { NotifiedGroup } from '../../../shared/stores/notification-log.ts';
import type { Silence } from '../../../shared/stores/silence-store.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { JudgedAlert, Judgement } from './judge-alerts.ts';
import { type NotificationDraft, writeDraft } from './notification-draft.ts';
import type { NotifyState } from './notify-state.ts';
import type { Policy } from './policy.ts';

const NAMED_MAX = 5;

interface Notices {
  readonly drafts: readonly NotificationDraft[];
  readonly groups: readonly NotifiedGroup[];
}

/** Its rules and how many of their alerts; nothing that a tenant wrote. */
function mutedText(muted: readonly JudgedAlert[]): string {
  const byRule = [...Map.groupBy(muted, ({ alert }) => alert.rule)]
    .map(([rule, alerts]) => `${rule} (${alerts.length})`)
    .sort();
  const more = byRule.length - NAMED_MAX;
  return `${byRule.slice(0, NAMED_MAX).join(', ')}${more > 0 ? ` and ${more} more rules` : ''}`;
}

/** Its own receiver, while there is one of that name; else those that would have been told. */
function receiversOf(
  { receiver }: Silence,
  muted: readonly JudgedAlert[],
  policy: Policy,
): string[] {
  if (receiver !== undefined && policy.receivers.has(receiver)) return [receiver];
  const routes = muted.flatMap((judged) => judged.routes);
  return [...new Set(routes.flatMap((route) => route.receiver || []))].sort();
}

/**
 * Silences that end soon while alerts fire under them: once for each end and receiver, as long
 * before as is configured, but for short ones in their last quarter.
 */
export function planNotices(policy: Policy, state: NotifyState, { firing }: Judgement): Notices {
  const { now, groups } = state;
  const notices = state.silences.flatMap((silence) => {
    const { id, startsAt, endsAt } = silence;
    const leadMs = Math.min(policy.config.silence_notice, (endsAt - startsAt) / 4);
    if (startsAt > now || endsAt <= now || endsAt - leadMs > now) return [];
    const muted = firing.filter(({ silencedBy }) => silencedBy.includes(id));
    if (muted.length === 0) return [];
    const text =
      `The silence of ${silence.author} (${silence.comment}) ends at ${formatInstant(endsAt)}. ` +
      `Alerts that fire under it: ${mutedText(muted)}. Make a new one if they should stay silent.`;
    return receiversOf(silence, muted, policy).flatMap((receiver) => {
      const groupKey = `silence/${id}/${endsAt}/${receiver}`;
      if (groups.has(groupKey)) return [];
      const saying = {
        ...{ groupKey, receiver, groupLabels: {}, reason: 'silence-ends-soon' as const },
        ...{ firing: [], ended: [], text, lastAt: undefined },
      };
      const draft = { ...writeDraft(saying, now), status: 'firing' as const };
      const entry = { groupKey, receiver, groupLabels: {}, at: now, firing: {}, folded: false };
      return [{ draft: { ...draft, project: silence.project }, entry }];
    });
  });
  return {
    drafts: notices.map(({ draft }) => draft),
    groups: notices.map(({ entry }) => entry),
  };
}
