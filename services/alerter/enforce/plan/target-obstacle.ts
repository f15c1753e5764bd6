import { matchGlob } from '../../../../shared/attribution/match-glob.ts';
import { clusterIdleness } from '../../../../shared/clusters/cluster-idleness.ts';
import type { EnforcementLevel } from '../../../../shared/contracts/action.ts';
import type { Exemption } from '../../../../shared/stores/enforcement-store.ts';
import { formatInstant } from '../../../../shared/values/instant.ts';
import { isFresh } from './evidence-gate.ts';
import type { ClusterLook, LiveApplication, Obstacle, PlanInput } from './plan-input.ts';
import type { EnforceRules, Policy } from './policy.ts';

type Context = Pick<PlanInput, 'now' | 'rules' | 'exemptions'>;

export const matchesAny = (globs: readonly string[], text: string): boolean =>
  globs.some((glob) => matchGlob(glob, text));

/** Why what a cluster tells can't be relied on now, or nothing may be done there. */
export function lookObstacle(
  look: ClusterLook | undefined,
  { now, rules }: Pick<PlanInput, 'now' | 'rules'>,
): Obstacle | undefined {
  if (look === undefined) return { reason: 'look-incomplete', detail: 'the cluster is not seen' };
  if (look.abilities === undefined) {
    return { reason: 'no-reader', detail: `${look.cluster} can only be observed` };
  }
  const limits = { now, maxAgeMs: rules.lookMaxAgeMs, clockToleranceMs: rules.clockToleranceMs };
  if (!look.complete) return { reason: 'look-incomplete', detail: look.why };
  if (isFresh(look.at, limits)) return undefined;
  return { reason: 'look-incomplete', detail: `the last look is of ${formatInstant(look.at)}` };
}

function exemptBy(exemption: Exemption, names: Record<string, string | undefined>): boolean {
  return (['project', 'cluster', 'application', 'workload'] as const).every((name) => {
    const wanted = exemption[name];
    return wanted === undefined || wanted === '' || wanted === names[name];
  });
}

/** An exemption in force of exactly this, by who gave it. */
export function exemptionObstacle(
  names: Record<'project' | 'cluster' | 'application' | 'workload', string | undefined>,
  { now, exemptions }: Context,
): Obstacle | undefined {
  const found = exemptions.find((one) => one.expiresAt > now && exemptBy(one, names));
  if (found === undefined) return undefined;
  const until = formatInstant(found.expiresAt);
  return { reason: 'exempt', detail: `${found.owner} until ${until}: ${found.why}` };
}

function protection(
  {
    queue,
    names,
    user,
    tags,
  }: Readonly<{
    queue: string;
    names: readonly string[];
    user: string;
    tags: Readonly<Record<string, string>>;
  }>,
  { protect }: EnforceRules,
): Obstacle | undefined {
  if (matchesAny(protect.queues, queue)) return { reason: 'protected', detail: `queue ${queue}` };
  const name = names.find((one) => matchesAny(protect.names, one));
  if (name !== undefined) return { reason: 'protected', detail: `name ${name}` };
  if (matchesAny(protect.users, user)) return { reason: 'protected', detail: `user ${user}` };
  const tag = protect.tags.find(
    ({ key, values }) => tags[key] !== undefined && matchesAny(values, tags[key] ?? ''),
  );
  if (tag === undefined) return undefined;
  return { reason: 'protected', detail: `tag ${tag.key}=${tags[tag.key]}` };
}

/** Who must be left alone whatever a policy says: exempt, protected. */
function sparing(app: LiveApplication, context: Context): Obstacle | undefined {
  const { project, cluster, id, workload, exempt, queue, user, tags } = app;
  if (exempt.state === 'signed' && exempt.until > context.now) {
    return { reason: 'exempt', detail: `its signed tag, until ${formatInstant(exempt.until)}` };
  }
  return (
    exemptionObstacle({ project, cluster, application: id, workload }, context) ??
    protection({ queue, names: [workload, id], user, tags }, context.rules)
  );
}

export function isProduction({ tags }: LiveApplication, { production }: EnforceRules): boolean {
  return production.keys.some((key) => {
    const value = tags[key]?.trim().toLowerCase();
    return value !== undefined && production.values.some((one) => one.toLowerCase() === value);
  });
}

/** What may be a stream: it loses more than its work when it is killed. */
export const mayStream = ({ kind }: LiveApplication): boolean =>
  kind === 'stream' || kind === 'unknown';

/** Why an application may not be acted on at this level. */
export function applicationObstacle(
  app: LiveApplication,
  level: EnforcementLevel,
  policy: Policy,
  context: Context,
): Obstacle | undefined {
  const spared = sparing(app, context);
  if (spared !== undefined) return spared;
  const ageMs = context.now - (app.startedAt ?? context.now);
  if (ageMs < policy.minAgeMs) return { reason: 'too-young', detail: `${ageMs} ms old` };
  const stops = level === 'graceful-stop' || level === 'kill';
  if (!stops || !mayStream(app) || !isProduction(app, context.rules)) return undefined;
  if (matchesAny(policy.includeStreaming, app.project ?? '')) return undefined;
  return { reason: 'production-stream', detail: 'its project did not opt in' };
}

/** Why a cluster may not be terminated: everything on it would end. */
export function clusterObstacle(
  look: ClusterLook,
  policy: Policy,
  context: Context & Pick<PlanInput, 'applications'>,
): Obstacle | undefined {
  const { sight, cluster } = look;
  const { now, rules } = context;
  if (sight.outcome !== 'seen') return { reason: 'target-unseen', detail: sight.outcome };
  if (sight.protected) return { reason: 'protected', detail: 'by its platform' };
  const names = { project: undefined, cluster, application: undefined, workload: undefined };
  const owner = { queue: '', names: [cluster, sight.name], user: sight.owner, tags: sight.tags };
  const spared = exemptionObstacle(names, context) ?? protection(owner, rules);
  if (spared !== undefined) return spared;
  const ageMs = now - (sight.startedAt ?? now);
  if (ageMs < policy.minAgeMs) return { reason: 'too-young', detail: `${ageMs} ms old` };
  for (const app of context.applications.filter((one) => one.cluster === cluster)) {
    const why = applicationObstacle(app, 'kill', { ...policy, minAgeMs: 0 }, context);
    if (why !== undefined) return { ...why, detail: `${app.id} runs there: ${why.detail}` };
  }
  if (policy.ladder.some((rung) => rung.level === 'terminate-cluster' && rung.evenIfBusy)) {
    return undefined;
  }
  const idleness = clusterIdleness(sight.activity, {
    ...{ now, startedAt: sight.startedAt, minAgeMs: policy.minAgeMs },
    ...rules.idle,
  });
  if (idleness.state === 'idle') return undefined;
  const active = idleness.state === 'active';
  const detail = active ? `active ${formatInstant(idleness.lastAt)}` : idleness.why;
  return { reason: 'not-idle', detail };
}
