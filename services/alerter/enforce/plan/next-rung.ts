import type { Actuation } from '../../../../shared/clusters/cluster-actuator.ts';
import {
  type ActionMeans,
  type ActionTarget,
  DESTRUCTIVE_LEVELS,
  type EnforcementAction,
  type EnforcementLevel,
  isSameTarget,
  STANDING_LEVELS,
  targetName,
} from '../../../../shared/contracts/action.ts';
import type { Obstacle, PlanInput } from './plan-input.ts';
import type { Rung } from './policy.ts';
import type { Track } from './tracks.ts';

/** What one rung does to one thing. */
export interface Goal {
  readonly target: ActionTarget;
  readonly means: ActionMeans;
  readonly subject: string;
}

export type NextRung =
  | {
      readonly rung: Rung;
      readonly goals: readonly Goal[];
      readonly unsupported: EnforcementLevel[];
    }
  | {
      readonly obstacle: Obstacle;
      readonly level: EnforcementLevel | undefined;
      readonly unsupported: EnforcementLevel[];
    };

function ownGoal(track: Track, means: ActionMeans): Goal[] {
  if (track.startedAt === undefined) return [];
  const target = { ...track.target, startedAt: track.startedAt };
  return [{ target, means, subject: means === 'manager' ? track.target.id : '' }];
}

function can(track: Track, actuation: Actuation): boolean {
  return track.look?.abilities?.includes(actuation) ?? false;
}

/** Tollgate's own admission, and the project's own queues where these can be closed and read. */
function denials(track: Track, { rules, clusters }: PlanInput): Goal[] {
  const id = track.target.kind === 'project' ? track.target.id : track.app?.project;
  if (id === undefined) return [];
  const target = { kind: 'project', id, startedAt: track.alert.activeSince } as const;
  const queues = rules.queues.filter(({ cluster, project }) => {
    const look = clusters.find((one) => one.cluster === cluster);
    const here = track.app === undefined || track.app.cluster === cluster;
    const { abilities = [], tellsAdmission = false } = look ?? {};
    const able = abilities.includes('deny-new-work') && abilities.includes('allow-new-work');
    return project === id && here && able && tellsAdmission;
  });
  return [
    { target: { ...target, cluster: '' }, means: 'admission', subject: '' },
    ...queues.map(({ cluster, queue }): Goal => {
      return { target: { ...target, cluster }, means: 'manager', subject: queue };
    }),
  ];
}

/** What a rung does here; nothing where there is no means for it. */
function goalsOf(rung: Rung, track: Track, input: PlanInput): Goal[] {
  const isApp = track.app !== undefined;
  switch (rung.level) {
    case 'notify':
      if (isApp && track.alert.target.kind === 'project') {
        const { id } = track.alert.target;
        const target = { kind: 'project', cluster: '', id } as const;
        const startedAt = track.alert.activeSince;
        return [{ target: { ...target, startedAt }, means: 'none', subject: '' }];
      }
      return ownGoal(track, 'none');
    case 'deny-new-work':
      return denials(track, input);
    case 'cap-executors':
      return isApp && can(track, 'cap-application') ? ownGoal(track, 'manager') : [];
    case 'graceful-stop':
      return isApp ? ownGoal(track, 'stop-order') : [];
    case 'kill':
      return isApp && can(track, 'kill-application') ? ownGoal(track, 'manager') : [];
    case 'terminate-cluster': {
      const isCluster = track.target.kind === 'cluster' && can(track, 'terminate-cluster');
      return isCluster ? ownGoal(track, 'manager') : [];
    }
  }
}

type GoalState = 'none' | 'open' | 'passed' | 'verified';

/** An attempt that failed may be made once more when its period is over, by both clocks. */
function mayRepeat(action: EnforcementAction, { now, steadyMs }: PlanInput): boolean {
  const { intendedAt = now, intendedSteadyMs = steadyMs, periodMs, level } = action;
  const isLast = level === 'kill' || level === 'terminate-cluster';
  return isLast && now - intendedAt >= periodMs && steadyMs - intendedSteadyMs >= periodMs;
}

function stateOf(action: EnforcementAction, input: PlanInput): GoalState {
  switch (action.state) {
    case 'verified':
      return 'verified';
    case 'failed':
      return mayRepeat(action, input) ? 'none' : 'passed';
    case 'aborted':
    case 'reversed':
      return 'none';
    default:
      return 'open';
  }
}

function goalState(goal: Goal, rung: Rung, track: Track, input: PlanInput): GoalState {
  const { alert, policy } = track;
  const stands = STANDING_LEVELS.has(rung.level);
  const states = input.actions
    .filter((action) => action.level === rung.level)
    .filter((action) =>
      // What stands is done once, whoever does it.
      stands
        ? targetName(action.target) === targetName(goal.target) &&
          (goal.target.kind === 'project' || isSameTarget(action.target, goal.target))
        : action.policy === policy.id &&
          action.alert === alert.id &&
          action.episode === alert.episode &&
          isSameTarget(action.target, goal.target),
    )
    .map((action) => stateOf(action, input));
  return (['open', 'verified', 'passed'] as const).find((one) => states.includes(one)) ?? 'none';
}

/** The first rung of the ladder that isn't done, or why there is none to do. */
export function nextRung(track: Track, input: PlanInput): NextRung {
  const unsupported: EnforcementLevel[] = [];
  const isPart = track.app !== undefined && track.alert.target.kind === 'project';
  for (const rung of track.policy.ladder) {
    const { level } = rung;
    const goals = goalsOf(rung, track, input);
    if (goals.length === 0) {
      unsupported.push(level);
      continue;
    }
    const states = goals.map((goal) => goalState(goal, rung, track, input));
    const missing = goals.filter((_, index) => states[index] === 'none');
    const others = isPart && (level === 'notify' || level === 'deny-new-work');
    if (others && (missing.length > 0 || states.includes('open'))) {
      const obstacle = { reason: 'milder-first', detail: `${level} of the project` } as const;
      return { obstacle, level, unsupported };
    }
    if (states.includes('open')) {
      return { obstacle: { reason: 'in-flight', detail: level }, level, unsupported };
    }
    if (missing.length > 0) return { rung, goals: missing, unsupported };
    if (DESTRUCTIVE_LEVELS.has(level) && states.includes('verified')) {
      return { obstacle: { reason: 'already-done', detail: level }, level, unsupported };
    }
  }
  const detail = `no rung is left${unsupported.length > 0 ? ' that the cluster has means for' : ''}`;
  return { obstacle: { reason: 'ladder-done', detail }, level: undefined, unsupported };
}
