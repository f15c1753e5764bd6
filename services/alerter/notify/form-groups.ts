import type { NotifiedGroup } from '../../../shared/stores/notification-log.ts';
import type { JudgedAlert, Judgement } from './judge-alerts.ts';
import { mutedNow } from './judge-alerts.ts';
import type { NotifyState } from './notify-state.ts';
import type { Policy } from './policy.ts';
import { groupKeyFor, groupLabelsFor, type Route } from './routes.ts';

/** Alerts that one receiver is told of together. */
export interface AlertGroup {
  readonly groupKey: string;
  readonly route: Route;
  readonly groupLabels: Readonly<Record<string, string>>;
  /** What it was told last. */
  readonly entry: NotifiedGroup | undefined;
  /** Those that may be told of. */
  readonly firing: JudgedAlert[];
  /** Over, and the receiver takes them for firing. */
  readonly ended: JudgedAlert[];
  /**
   * What the receiver takes for firing and may not be told of now, with its episode: muted, or taken
   * by another route since. Its end is owed.
   */
  readonly owed: Record<string, number>;
}

const isMuted = ({ silencedBy, inhibitedBy, waits }: JudgedAlert): boolean =>
  silencedBy.length > 0 || inhibitedBy.length > 0 || waits;

/** A group that no route makes any more, such as after a change of the tree: its ends are owed. */
function orphan(policy: Policy, entry: NotifiedGroup): AlertGroup {
  const { groupKey, groupLabels, receiver } = entry;
  const route = { ...policy.routes.route, receiver, muteIntervals: [], activeIntervals: [] };
  return { groupKey, route, groupLabels, entry, firing: [], ended: [], owed: {} };
}

function groupFiring(
  policy: Policy,
  state: NotifyState,
  firing: readonly JudgedAlert[],
): Map<string, AlertGroup> {
  const groups = new Map<string, AlertGroup>();
  const keys = new Map<string, string>();
  const muted = mutedNow(policy, state);
  for (const judged of firing) {
    for (const route of new Set(judged.routes)) {
      if (route.receiver === '') continue;
      const groupLabels = groupLabelsFor(route, judged.labels);
      const words = JSON.stringify([route.id, route.receiver, groupLabels]);
      const groupKey = keys.get(words) ?? groupKeyFor(route, groupLabels);
      keys.set(words, groupKey);
      const entry = state.groups.get(groupKey);
      const group = groups.get(groupKey) ?? {
        ...{ groupKey, route, groupLabels, entry },
        ...{ firing: [], ended: [], owed: {} },
      };
      groups.set(groupKey, group);
      const told = entry?.firing[judged.alert.id];
      if (!isMuted(judged) && muted(route).length === 0) group.firing.push(judged);
      else if (told !== undefined) group.owed[judged.alert.id] = told;
    }
  }
  return groups;
}

/** Every group that has something to tell, now or later. */
export function formGroups(
  policy: Policy,
  state: NotifyState,
  { firing, ended }: Judgement,
): AlertGroup[] {
  const groups = groupFiring(policy, state, firing);
  const muted = mutedNow(policy, state);
  const firingIds = new Set(firing.map(({ alert }) => alert.id));
  const over = new Map(ended.map((judged) => [judged.alert.id, judged]));
  for (const entry of state.groups.values()) {
    const told = Object.entries(entry.firing);
    if (told.length === 0 || !policy.receivers.has(entry.receiver)) continue;
    const group = groups.get(entry.groupKey) ?? orphan(policy, entry);
    const isSilent = muted(group.route).length > 0;
    const here = new Set(group.firing.map(({ alert }) => alert.id));
    for (const [id, episode] of told) {
      const end = over.get(id);
      if (end === undefined) {
        // What no store knows any more can't be told of.
        if (firingIds.has(id) && !here.has(id)) group.owed[id] = episode;
      } else if (isSilent || end.silencedBy.length > 0) group.owed[id] = episode;
      else group.ended.push(end);
    }
    if (group.firing.length + group.ended.length + Object.keys(group.owed).length > 0) {
      groups.set(entry.groupKey, group);
    }
  }
  return [...groups.values()];
}
