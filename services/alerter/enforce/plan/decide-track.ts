import {
  type ActionProposal,
  DESTRUCTIVE_LEVELS,
  type EnforcementAction,
  isOpen,
  isSameTarget,
} from '../../../../shared/contracts/action.ts';
import { evidenceObstacle } from './evidence-gate.ts';
import { levelObstacle } from './level-obstacle.ts';
import { type Goal, nextRung } from './next-rung.ts';
import type { LeftAlone, Obstacle, PlanInput } from './plan-input.ts';
import type { Policy, Rung } from './policy.ts';
import {
  applicationObstacle,
  clusterObstacle,
  exemptionObstacle,
  mayStream,
} from './target-obstacle.ts';
import type { Track } from './tracks.ts';

export type TrackDecision = { readonly propose: ActionProposal[] } | { readonly left: LeftAlone };

export function evidenceLimits({ now, rules }: Pick<PlanInput, 'now' | 'rules'>, policy: Policy) {
  const { clockToleranceMs, agreePercent } = rules;
  return { now, maxAgeMs: policy.evidenceMaxAgeMs, clockToleranceMs, agreePercent };
}

/** What was done to the same thing, by whatever policy, that forbids doing it now. */
function earlierObstacle(goal: Goal, rung: Rung, track: Track, input: PlanInput) {
  const here = input.actions.filter(({ target }) => isSameTarget(target, goal.target));
  const unresolved = here.find(({ state }) => state === 'unknown');
  if (unresolved !== undefined) {
    return { reason: 'unresolved', detail: `a person must resolve ${unresolved.id}` } as const;
  }
  const other = here.find((one) => {
    return isOpen(one) && one.level === rung.level && one.state !== 'verified';
  });
  if (other !== undefined) return { reason: 'in-flight', detail: other.id } as const;
  const done = input.intents.find(
    ({ level, target, at, steadyMs }) =>
      level === rung.level &&
      isSameTarget(target, goal.target) &&
      (input.now - at < track.policy.periodMs || input.steadyMs - steadyMs < track.policy.periodMs),
  );
  if (done === undefined || !DESTRUCTIVE_LEVELS.has(rung.level)) {
    return undefined;
  }
  return { reason: 'already-done', detail: `${done.action} in this period` } as const;
}

/** A stream is asked to stop between two batches before it is killed. */
function streamObstacle(goal: Goal, rung: Rung, track: Track, input: PlanInput) {
  if (rung.level !== 'kill' || track.app === undefined || !mayStream(track.app)) return undefined;
  const asked = input.actions.some(
    (action: EnforcementAction) =>
      action.level === 'graceful-stop' &&
      action.state === 'failed' &&
      isSameTarget(action.target, goal.target),
  );
  return asked
    ? undefined
    : ({ reason: 'stream-not-stopped-first', detail: `kind ${track.app.kind}` } as const);
}

/** Why a rung isn't taken here, but for the evidence. */
export function rungObstacle(
  goal: Goal,
  rung: Rung,
  track: Pick<Track, 'app' | 'look' | 'policy' | 'target'>,
  input: PlanInput,
): Obstacle | undefined {
  const { app, look, policy } = track;
  if (goal.target.kind === 'project') {
    const { id } = goal.target;
    const names = { project: id, cluster: '', application: undefined, workload: undefined };
    const exempt = exemptionObstacle(names, input);
    if (exempt !== undefined || app === undefined) return exempt;
  }
  if (app !== undefined) return applicationObstacle(app, rung.level, policy, input);
  if (look === undefined) return undefined;
  return clusterObstacle(look, policy, input);
}

function proposalOf(goal: Goal, rung: Rung, { alert, policy, app }: Track): ActionProposal {
  return {
    policy: policy.id,
    policyVersion: policy.version,
    level: rung.level,
    alert: alert.id,
    episode: alert.episode,
    rule: alert.rule,
    ruleVersion: alert.ruleVersion,
    project: app?.project ?? alert.project,
    ...goal,
    graceMs: rung.graceMs,
    withinMs: rung.withinMs,
    periodMs: policy.periodMs,
    announceTo: policy.announceTo,
  };
}

/** What follows for one target of one alert under one policy. */
export function decideTrack(
  track: Track,
  input: PlanInput,
  hold: Obstacle | undefined,
): TrackDecision {
  const { alert, policy, target } = track;
  const next = nextRung(track, input);
  const level = 'rung' in next ? next.rung.level : next.level;
  const leave = (why: Obstacle): TrackDecision => {
    const { id, episode } = alert;
    const { unsupported } = next;
    return { left: { alert: id, episode, policy: policy.id, target, level, unsupported, ...why } };
  };
  const unclear = evidenceObstacle(alert, evidenceLimits(input, policy)) ?? track.obstacle;
  if (unclear !== undefined) return leave(unclear);
  if (!('rung' in next)) return leave(next.obstacle);
  const { rung, goals } = next;
  for (const goal of goals) {
    const why =
      rungObstacle(goal, rung, track, input) ??
      earlierObstacle(goal, rung, track, input) ??
      streamObstacle(goal, rung, track, input) ??
      levelObstacle(policy, rung.level, input) ??
      hold;
    if (why !== undefined) return leave(why);
  }
  return { propose: goals.map((goal) => proposalOf(goal, rung, track)) };
}
