import type { NotifiedGroup } from '../../../shared/stores/notification-log.ts';
import { SECOND_MS } from '../../../shared/values/instant.ts';
import type { Decision } from './decide-group.ts';
import { type NotificationDraft, type Saying, writeDraft } from './notification-draft.ts';
import type { NotifyState } from './notify-state.ts';
import type { Policy } from './policy.ts';

interface Folded {
  readonly drafts: readonly NotificationDraft[];
  readonly groups: readonly NotifiedGroup[];
}

/** Many groups in the words of one; a single one keeps its own. */
function foldedSaying(receiver: string, decisions: readonly Decision[], why: string): Saying {
  const sayings = decisions.map(({ saying }) => saying);
  const [first] = sayings;
  if (first !== undefined && sayings.length === 1) return first;
  const reasons = new Set(sayings.map(({ reason }) => reason));
  const firing = sayings.flatMap((saying) => saying.firing);
  const changed = firing.length > 0 ? 'new-alerts-in-group' : 'all-resolved';
  return {
    groupKey: `storm/${receiver}`,
    receiver,
    groupLabels: {},
    reason: reasons.size === 1 && first !== undefined ? first.reason : changed,
    firing: [...new Set(firing)],
    ended: [...new Set(sayings.flatMap((saying) => saying.ended))],
    text: [`${sayings.length} groups in one message, since ${why}.`, ...textsOf(sayings)].join(
      '\n',
    ),
    lastAt: sayings.reduce((latest, { lastAt }) => Math.max(latest, lastAt ?? 0), 0),
  };
}

/** What groups say beside their alerts; the first few different ones. */
function textsOf(sayings: readonly Saying[]): string[] {
  return [...new Set(sayings.map(({ text }) => text).filter((text) => text !== ''))].slice(0, 5);
}

/**
 * A receiver that would get more messages in a time than it takes gets one about all groups, and the
 * next of those no sooner than after that time: what is due meanwhile stays due.
 */
export function foldStorms(
  policy: Policy,
  state: NotifyState,
  decisions: readonly Decision[],
): Folded {
  const { now, groups } = state;
  const { messages, within } = policy.config.storm;
  const byReceiver = Map.groupBy(decisions, ({ saying }) => saying.receiver);
  const recent = Map.groupBy(
    [...groups.values()].filter(
      (entry) => entry.at > now - within && !entry.folded && entry.groupKey.startsWith('group/'),
    ),
    ({ receiver }) => receiver,
  );
  const folded = [...byReceiver].map(([receiver, own]): Folded => {
    const count = own.length + (recent.get(receiver)?.length ?? 0);
    if (count <= messages) {
      return {
        drafts: own.map(({ saying }) => writeDraft(saying, now)),
        groups: own.map(({ entry }) => entry),
      };
    }
    const groupKey = `storm/${receiver}`;
    const last = groups.get(groupKey);
    if (last !== undefined && last.at > now - within) return { drafts: [], groups: [] };
    const why = `there would have been more than ${messages} in ${within / SECOND_MS} s`;
    const storm = { groupKey, receiver, groupLabels: {}, at: now, firing: {}, folded: true };
    return {
      drafts: [writeDraft(foldedSaying(receiver, own, why), now)],
      groups: [...own.map(({ entry }) => ({ ...entry, folded: true })), storm],
    };
  });
  return {
    drafts: folded.flatMap(({ drafts }) => drafts),
    groups: folded.flatMap((one) => one.groups),
  };
}
