import type { NotificationReason } from '../../../shared/contracts/notification.ts';
import type { NotifiedGroup } from '../../../shared/stores/notification-log.ts';
import type { Silence } from '../../../shared/stores/silence-store.ts';
import { formatInstant, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { AlertGroup } from './form-groups.ts';
import type { JudgedAlert } from './judge-alerts.ts';
import type { Saying } from './notification-draft.ts';
import type { NotifyState } from './notify-state.ts';
import type { Policy } from './policy.ts';

/** What is said of a group, and what its receiver knows then. */
export interface Decision {
  readonly saying: Saying;
  readonly entry: NotifiedGroup;
}

const NAMED_MAX = 5;

interface Parts {
  /** Not told of yet. */
  readonly fresh: readonly JudgedAlert[];
  readonly ended: readonly JudgedAlert[];
  /** Ends that aren't believed yet, since the alert comes and goes. */
  readonly held: readonly JudgedAlert[];
  /** Silences whose end nobody in the group was told of. */
  readonly silencesOver: readonly Silence[];
  /** Of the last message, while it holds something that fires. */
  readonly lastAt: Instant | undefined;
}

const earliest = (times: readonly Instant[]): Instant | undefined =>
  times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));

function partsOf({ firing, ended, entry }: AlertGroup, policy: Policy, state: NotifyState): Parts {
  const told = entry?.firing ?? {};
  const lastAt = Object.keys(told).length > 0 ? entry?.at : undefined;
  const { hold } = policy.config.flapping;
  const isHeld = ({ alert }: JudgedAlert): boolean =>
    state.flapping.has(alert.id) && (alert.endedAt ?? state.now) + hold > state.now;
  const over = firing
    .flatMap(({ silencesOver }) => silencesOver)
    .filter(({ endsAt }) => endsAt > (lastAt ?? 0));
  return {
    fresh: firing.filter(({ alert }) => !Object.hasOwn(told, alert.id)),
    ended: ended.filter((judged) => !isHeld(judged)),
    held: ended.filter(isHeld),
    silencesOver: [...new Set(over)],
    lastAt,
  };
}

/** When the group's next message may leave; undefined while there is nothing to say. */
function dueAt({ route, firing }: AlertGroup, parts: Parts): Instant | undefined {
  const { fresh, ended, silencesOver, lastAt } = parts;
  const changes = [
    ...fresh.map(({ alert }) => (alert.firedAt ?? alert.activeSince) + route.groupWaitMs),
    ...ended.map(({ alert }) => (alert.endedAt ?? alert.evaluatedAt) + route.groupWaitMs),
    ...silencesOver.map(({ endsAt }) => endsAt),
  ];
  const changed = earliest(changes);
  if (lastAt === undefined) return changed;
  const repeated = firing.length === 0 ? [] : [lastAt + route.repeatIntervalMs];
  const spaced = changed === undefined ? [] : [Math.max(changed, lastAt + route.groupIntervalMs)];
  return earliest([...repeated, ...spaced]);
}

/** Source of the first five: prometheus/alertmanager notify/dedup_stage.go. */
function reasonFor(group: AlertGroup, parts: Parts): NotificationReason {
  const { fresh, ended, held, silencesOver, lastAt } = parts;
  if (fresh.length > 0) {
    if (fresh.every((judged) => judged.silencesOver.length > 0)) return 'silence-ended';
    return lastAt === undefined ? 'first-notification' : 'new-alerts-in-group';
  }
  if (ended.length > 0) {
    const left = group.firing.length + held.length + Object.keys(group.owed).length;
    return left === 0 ? 'all-resolved' : 'new-resolved-alerts';
  }
  return silencesOver.length > 0 ? 'silence-ended' : 'repeat-interval-elapsed';
}

function textOf(group: AlertGroup, parts: Parts, policy: Policy, state: NotifyState): string {
  const silences = parts.silencesOver.slice(0, NAMED_MAX).map((silence) => {
    const by = silence.endedBy === '' ? '' : ` (ended by ${silence.endedBy})`;
    return `The silence of ${silence.author} (${silence.comment}) ended at ${formatInstant(silence.endsAt)}${by}.`;
  });
  const more = parts.silencesOver.length - silences.length;
  const { times, within, hold } = policy.config.flapping;
  const flapping = group.firing.filter(({ alert }) => state.flapping.has(alert.id)).length;
  return [
    ...silences,
    ...(more > 0 ? [`${more} more silences ended.`] : []),
    ...(flapping > 0
      ? [
          `${flapping} of these came and went ${times} times or more in ${within / MINUTE_MS} min: ` +
            `an end is told after ${hold / MINUTE_MS} min of quiet.`,
        ]
      : []),
  ].join('\n');
}

/** Whether a group is told of now, why, and what of it; undefined while it isn't. */
export function decideGroup(
  group: AlertGroup,
  policy: Policy,
  state: NotifyState,
): Decision | undefined {
  const parts = partsOf(group, policy, state);
  const at = dueAt(group, parts);
  if (at === undefined || at > state.now) return undefined;
  const { groupKey, groupLabels, route, firing, owed } = group;
  const held = parts.held.map(({ alert }) => [
    alert.id,
    group.entry?.firing[alert.id] ?? alert.episode,
  ]);
  return {
    saying: {
      groupKey,
      receiver: route.receiver,
      groupLabels,
      reason: reasonFor(group, parts),
      firing: firing.map(({ alert }) => alert),
      ended: parts.ended.map(({ alert }) => alert),
      text: textOf(group, parts, policy, state),
      lastAt: group.entry?.at,
    },
    entry: {
      groupKey,
      receiver: route.receiver,
      groupLabels,
      at: state.now,
      firing: {
        ...owed,
        ...Object.fromEntries(held),
        ...Object.fromEntries(firing.map(({ alert }) => [alert.id, alert.episode])),
      },
      folded: false,
    },
  };
}
