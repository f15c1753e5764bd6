import type { Alert } from '../../../shared/contracts/alert.ts';
import { compileMatchers, type Labels } from '../../../shared/silences/label-matcher.ts';
import type { AlertStatus } from '../../../shared/stores/notification-log.ts';
import type { Silence } from '../../../shared/stores/silence-store.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { labelsOf } from './alert-labels.ts';
import type { NotifyPlan, NotifyState } from './notify-state.ts';
import type { Policy } from './policy.ts';
import { type Route, routesFor } from './routes.ts';

/** An alert with what decides whether it is told of. */
export interface JudgedAlert {
  readonly alert: Alert;
  readonly labels: Labels;
  readonly routes: readonly Route[];
  /** Ids of silences that mute it now. */
  readonly silencedBy: readonly string[];
  /** Ids of alerts that mute it now. */
  readonly inhibitedBy: readonly string[];
  /** It may be inhibited by what isn't known yet. */
  readonly waits: boolean;
  /** Silences that muted this occurrence and are over. */
  readonly silencesOver: readonly Silence[];
}

export interface Judgement {
  readonly firing: readonly JudgedAlert[];
  readonly ended: readonly JudgedAlert[];
  readonly statusChanges: Pick<NotifyPlan, 'statuses' | 'cleared'>;
  readonly suppressed: NotifyPlan['suppressed'];
}

interface CompiledSilence {
  readonly silence: Silence;
  readonly matches: (labels: Labels) => boolean;
}

/** Compiling costs more than asking, and silences stay as they are for long. */
const compiled = new WeakMap<Silence, CompiledSilence>();

function compileSilence(silence: Silence): CompiledSilence {
  const known = compiled.get(silence);
  if (known !== undefined) return known;
  const { project } = silence;
  const matches = compileMatchers(silence.matchers);
  // A project's silence mutes its own alerts only, whatever its matchers say.
  const isOwn = (labels: Labels): boolean => project === undefined || labels['project'] === project;
  const fresh = { silence, matches: (labels: Labels) => isOwn(labels) && matches(labels) };
  compiled.set(silence, fresh);
  return fresh;
}

function statusOf(
  { alert, routes, silencedBy, inhibitedBy }: JudgedAlert,
  muted: MutedBy,
): AlertStatus {
  const mutes = routes.map((route) => muted(route));
  const isMuted = mutes.length > 0 && mutes.every((names) => names.length > 0);
  const isSuppressed = isMuted || silencedBy.length > 0 || inhibitedBy.length > 0;
  return {
    alert: alert.id,
    state: isSuppressed ? 'suppressed' : 'active',
    silencedBy,
    inhibitedBy,
    mutedBy: [...new Set(mutes.flat())].sort(),
    receivers: [...new Set(routes.flatMap(({ receiver }) => receiver || []))].sort(),
  };
}

type MutedBy = (route: Route) => readonly string[];

/** Which time intervals mute a route now, asked once a route. */
export function mutedNow(policy: Policy, { now }: Pick<NotifyState, 'now'>): MutedBy {
  const known = new Map<Route, readonly string[]>();
  return (route) => {
    const names = known.get(route) ?? policy.mutedBy(route, now);
    known.set(route, names);
    return names;
  };
}

function statusChangesOf(
  statuses: readonly AlertStatus[],
  { statuses: stored }: NotifyState,
): Judgement['statusChanges'] {
  const firing = new Set(statuses.map(({ alert }) => alert));
  return {
    statuses: statuses.filter(
      (status) => canonicalJson(status) !== canonicalJson(stored.get(status.alert)),
    ),
    cleared: [...stored.keys()].filter((alert) => !firing.has(alert)),
  };
}

function suppressedBy(statuses: readonly AlertStatus[]): Judgement['suppressed'] {
  const suppressed = statuses.filter(({ state }) => state === 'suppressed');
  const silence = suppressed.filter(({ silencedBy }) => silencedBy.length > 0);
  const others = suppressed.filter(({ silencedBy }) => silencedBy.length === 0);
  const inhibition = others.filter(({ inhibitedBy }) => inhibitedBy.length > 0);
  return {
    silence: silence.length,
    inhibition: inhibition.length,
    'time interval': others.length - inhibition.length,
  };
}

/** What mutes each alert, and whom it is for. Pending alerts are told to nobody. */
export function judgeAlerts(policy: Policy, state: NotifyState): Judgement {
  const { now, alerts, silences, warmingUp } = state;
  const begun = silences.filter(({ startsAt, endsAt }) => startsAt <= now && startsAt < endsAt);
  const current = begun.filter(({ endsAt }) => endsAt > now).map(compileSilence);
  const over = begun.filter(({ endsAt }) => endsAt <= now).map(compileSilence);
  const labelled = alerts.map((alert) => ({ id: alert.id, alert, labels: labelsOf(alert) }));
  const firing = labelled.filter(({ alert }) => alert.state === 'firing');
  const inhibited = policy.inhibitions.among(firing);
  const judge = ({ alert, labels }: (typeof labelled)[number]): JudgedAlert => ({
    alert,
    labels,
    routes: routesFor(policy.routes, labels),
    silencedBy: current
      .filter(({ matches }) => matches(labels))
      .map(({ silence }) => silence.id)
      .sort(),
    inhibitedBy: inhibited.get(alert.id) ?? [],
    waits: warmingUp && policy.inhibitions.mayMute(labels),
    silencesOver: over
      .filter(({ silence, matches }) => silence.endsAt > (alert.firedAt ?? now) && matches(labels))
      .map(({ silence }) => silence),
  });
  const judged = firing.map(judge);
  const muted = mutedNow(policy, state);
  const statuses = judged.map((one) => statusOf(one, muted));
  return {
    firing: judged,
    ended: labelled
      .filter(({ alert }) => alert.state === 'resolved' || alert.state === 'gone')
      .map(judge),
    statusChanges: statusChangesOf(statuses, state),
    suppressed: suppressedBy(statuses),
  };
}
