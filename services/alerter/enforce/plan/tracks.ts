import type { ActionTarget } from '../../../../shared/contracts/action.ts';
import type { Alert } from '../../../../shared/contracts/alert.ts';
import type { ClusterLook, LiveApplication, Obstacle, PlanInput } from './plan-input.ts';
import type { Policy } from './policy.ts';
import { lookObstacle, matchesAny } from './target-obstacle.ts';

/** One alert, one policy, one thing that it may act on. */
export interface Track {
  readonly alert: Alert;
  readonly policy: Policy;
  readonly target: Omit<ActionTarget, 'startedAt'>;
  /** Undefined where the incarnation isn't known. */
  readonly startedAt: number | undefined;
  readonly app: LiveApplication | undefined;
  readonly look: ClusterLook | undefined;
  /** Why its target isn't known well enough. */
  readonly obstacle: Obstacle | undefined;
}

type Part = Pick<Track, 'target' | 'startedAt' | 'app' | 'look' | 'obstacle'>;

export function policyCovers(policy: Policy, alert: Alert): boolean {
  return (
    matchesAny(policy.rules, alert.rule) &&
    policy.severities.includes(alert.severity) &&
    (alert.project === undefined || matchesAny(policy.projects, alert.project))
  );
}

/** Why an application isn't surely the one that the alert is about. */
function incarnationObstacle(
  alert: Alert,
  app: LiveApplication,
  { rules }: PlanInput,
): Obstacle | undefined {
  const { startedAt } = app;
  const said = alert.target.startedAt;
  if (startedAt === undefined) return { reason: 'no-incarnation', detail: 'its start is not told' };
  if (alert.target.kind === 'application') {
    if (said === undefined) return { reason: 'no-incarnation', detail: 'the alert has no start' };
    if (Math.abs(said - startedAt) > rules.startToleranceMs) {
      return { reason: 'another-incarnation', detail: `began ${startedAt}, the alert's ${said}` };
    }
  }
  if (alert.target.kind === 'project' || startedAt <= alert.activeSince) return undefined;
  return { reason: 'another-incarnation', detail: 'it began after the breach' };
}

function applicationPart(alert: Alert, app: LiveApplication, input: PlanInput): Part {
  const look = input.clusters.find(({ cluster }) => cluster === app.cluster);
  return {
    target: { kind: 'application', cluster: app.cluster, id: app.id },
    startedAt: app.startedAt,
    ...{ app, look },
    obstacle: lookObstacle(look, input) ?? incarnationObstacle(alert, app, input),
  };
}

/** Whether an alert is about an application, or about what it belongs to. */
export function isMeant({ target, project, labels }: Alert, app: LiveApplication): boolean {
  const here = target.cluster === '' || target.cluster === app.cluster;
  switch (target.kind) {
    case 'application':
      return target.cluster === app.cluster && target.id === app.id;
    case 'streaming-query':
      return target.cluster === app.cluster && labels['application'] === app.id;
    case 'workload':
      return here && target.id === app.workload && project === app.project;
    case 'project':
      return here && target.id === app.project;
    default:
      return false;
  }
}

function unseen(alert: Alert, input: PlanInput): Part {
  const { cluster, id, kind } = alert.target;
  const look = input.clusters.find((one) => one.cluster === cluster);
  const target = { kind: 'application', cluster, id } as const;
  const notSeen = { reason: 'target-unseen', detail: 'no such application runs' } as const;
  const obstacle =
    kind === 'pool' || kind === 'tollgate'
      ? ({ reason: 'no-target', detail: `a ${kind} can't be acted on` } as const)
      : (lookObstacle(look, input) ?? notSeen);
  return { target, startedAt: undefined, app: undefined, look, obstacle };
}

function clusterPart(alert: Alert, input: PlanInput): Part {
  const look = input.clusters.find(({ cluster }) => cluster === alert.target.cluster);
  const { sight } = look ?? {};
  const startedAt = sight?.outcome === 'seen' ? sight.startedAt : undefined;
  const target = {
    kind: 'cluster',
    cluster: alert.target.cluster,
    id: alert.target.cluster,
  } as const;
  const said = alert.target.startedAt;
  const known = startedAt !== undefined && said !== undefined;
  const other = known && Math.abs(said - startedAt) > input.rules.startToleranceMs;
  const problem: Obstacle | undefined = !known
    ? { reason: 'no-incarnation', detail: 'its start is not told' }
    : other || startedAt > alert.activeSince
      ? { reason: 'another-incarnation', detail: `began ${startedAt}, the alert's ${said}` }
      : undefined;
  const obstacle = lookObstacle(look, input) ?? problem;
  return { target, startedAt, app: undefined, look, obstacle };
}

/** All that an alert may lead to acting on under a policy. */
export function tracksOf(alert: Alert, policy: Policy, input: PlanInput): Track[] {
  if (alert.target.kind === 'cluster') {
    if (!matchesAny(policy.clusters, alert.target.cluster)) return [];
    return [{ alert, policy, ...clusterPart(alert, input) }];
  }
  const meant = input.applications.filter((app) => isMeant(alert, app));
  const apps = meant.filter(
    ({ cluster, kind, project }) =>
      matchesAny(policy.clusters, cluster) &&
      policy.workloads.includes(kind) &&
      matchesAny(policy.projects, project ?? ''),
  );
  const parts = apps.map((app) => applicationPart(alert, app, input));
  if (alert.target.kind === 'project') {
    const target = { kind: 'project', cluster: '', id: alert.target.id } as const;
    parts.unshift({
      ...{ target, startedAt: alert.activeSince },
      ...{ app: undefined, look: undefined, obstacle: undefined },
    });
  } else if (meant.length === 0) {
    parts.push(unseen(alert, input));
  }
  return parts.map((part) => ({ alert, policy, ...part }));
}
