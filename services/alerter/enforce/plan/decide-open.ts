import { dueAt, type EnforcementAction } from '../../../../shared/contracts/action.ts';
import type { Alert } from '../../../../shared/contracts/alert.ts';
import { formatInstant } from '../../../../shared/values/instant.ts';
import { evidenceLimits, rungObstacle } from './decide-track.ts';
import { evidenceObstacle } from './evidence-gate.ts';
import { levelObstacle } from './level-obstacle.ts';
import type { ClusterLook, LiveApplication, Obstacle, PlanInput } from './plan-input.ts';
import type { Policy, Rung } from './policy.ts';
import { lookObstacle } from './target-obstacle.ts';

/** What becomes of an action that isn't final. `verify`: it was asked, or may have been. */
export type OpenDecision =
  | { readonly next: 'execute' | 'verify' | 'lift' | 'stand' }
  | ({ readonly next: 'abort' | 'wait' } & Obstacle);

interface Seen {
  readonly look: ClusterLook | undefined;
  readonly app: LiveApplication | undefined;
  readonly startedAt: number | undefined;
}

function seenTarget({ target }: EnforcementAction, input: PlanInput): Seen {
  const look = input.clusters.find(({ cluster }) => cluster === target.cluster);
  if (target.kind === 'cluster') {
    const startedAt = look?.sight.outcome === 'seen' ? look.sight.startedAt : undefined;
    return { look, app: undefined, startedAt };
  }
  if (target.kind === 'project') return { look, app: undefined, startedAt: target.startedAt };
  const app = input.applications.find(
    ({ cluster, id }) => cluster === target.cluster && id === target.id,
  );
  return { look, app, startedAt: app?.startedAt };
}

function alertObstacle(action: EnforcementAction, alert: Alert | undefined): Obstacle | undefined {
  if (alert === undefined) return { reason: 'ended', detail: 'its alert is not open any more' };
  if (alert.episode !== action.episode || alert.state !== 'firing') {
    return { reason: 'ended', detail: `its alert is ${alert.state}` };
  }
  return undefined;
}

/** What calls an action off for good: doing it later needs a new announcement. */
function callOff(
  action: EnforcementAction,
  rung: { readonly policy: Policy; readonly rung: Rung },
  seen: Seen,
  input: PlanInput,
): Obstacle | undefined {
  const { target } = action;
  const { policy } = rung;
  const { app, look, startedAt } = seen;
  const off = levelObstacle(policy, action.level, input);
  if (off !== undefined) return { ...off, reason: 'level-off' };
  const isWhole = lookObstacle(look, input) === undefined;
  if (target.kind === 'application' && isWhole && app === undefined) {
    return { reason: 'ended', detail: 'its cluster lists it no more' };
  }
  if (startedAt !== undefined && startedAt !== target.startedAt) {
    return { reason: 'another-incarnation', detail: `began ${formatInstant(startedAt)}` };
  }
  if (app === undefined && target.kind === 'application') return undefined;
  const parts = { app, look: target.kind === 'cluster' ? look : undefined, policy, target };
  const why = rungObstacle(action, rung.rung, parts, input);
  return why?.reason === 'target-unseen' ? undefined : why;
}

/** Grace is over only when it is by both clocks. */
function isDue(action: EnforcementAction, { now, steadyMs }: PlanInput): boolean {
  const { announcedAt, announcedSteadyMs, graceMs, extendedMs } = action;
  if (announcedAt === undefined || announcedSteadyMs === undefined) return false;
  const waitMs = graceMs + extendedMs;
  return now - announcedAt >= waitMs && steadyMs - announcedSteadyMs >= waitMs;
}

function lateness(action: EnforcementAction, input: PlanInput): OpenDecision | undefined {
  const { now, steadyMs, rules } = input;
  if (action.announcedAt === undefined || action.announcedSteadyMs === undefined) {
    const waited = Math.max(now - action.proposedAt, steadyMs - action.proposedSteadyMs);
    const detail = `${action.announceTo.join(', ')} did not get the announcement`;
    const next = waited > rules.announceMaxMs ? 'abort' : 'wait';
    return { next, reason: 'not-delivered', detail };
  }
  const due = dueAt(action, now);
  if (!isDue(action, input)) {
    return { next: 'wait', reason: 'in-grace', detail: `until ${formatInstant(due)} or later` };
  }
  // By the wall clock alone: steady time stands still while nobody runs, and what was announced
  // for the morning isn't done in the evening.
  if (now - due <= rules.validMs) return undefined;
  return { next: 'abort', reason: 'expired', detail: `it was due ${formatInstant(due)}` };
}

/** What is to be done with one action that was begun. */
export function decideOpen(
  action: EnforcementAction,
  input: PlanInput,
  hold: Obstacle | undefined,
): OpenDecision {
  const alert = input.alerts.find(({ id }) => id === action.alert);
  const ended = alertObstacle(action, alert);
  if (action.state === 'verified') {
    return { next: ended !== undefined && hold === undefined ? 'lift' : 'stand' };
  }
  if (action.state !== 'proposed' && action.state !== 'announced') {
    return { next: action.state === 'unknown' ? 'stand' : 'verify' };
  }
  const policy = input.policies.find(({ id }) => id === action.policy);
  const rung = policy?.ladder.find(({ level }) => level === action.level);
  if (policy === undefined || rung === undefined || policy.version !== action.policyVersion) {
    return { next: 'abort', reason: 'policy-changed', detail: `${action.policy} was edited` };
  }
  const seen = seenTarget(action, input);
  const off = ended ?? callOff(action, { policy, rung }, seen, input);
  if (off !== undefined) return { next: 'abort', ...off };
  const early = lateness(action, input);
  if (early !== undefined) return early;
  const isAdmission = action.means === 'admission' || action.means === 'none';
  const why =
    hold ??
    (alert === undefined ? undefined : evidenceObstacle(alert, evidenceLimits(input, policy))) ??
    (isAdmission ? undefined : lookObstacle(seen.look, input)) ??
    (isAdmission || seen.startedAt !== undefined
      ? undefined
      : ({ reason: 'target-unseen', detail: 'its start is not told' } as const));
  return why === undefined ? { next: 'execute' } : { next: 'wait', ...why };
}
