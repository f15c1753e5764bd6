import type { Actuation, ActuatorAnswer } from '../../../shared/clusters/cluster-actuator.ts';
import type { EnforcementAction, EnforcementLevel } from '../../../shared/contracts/action.ts';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { EnforcerDeps } from './enforcer-deps.ts';

const ACTUATION_OF: Partial<Record<EnforcementLevel, { do: Actuation; undo?: Actuation }>> = {
  'deny-new-work': { do: 'deny-new-work', undo: 'allow-new-work' },
  'cap-executors': { do: 'cap-application', undo: 'uncap-application' },
  kill: { do: 'kill-application' },
  'terminate-cluster': { do: 'terminate-cluster' },
};

export function actuationOf(level: EnforcementLevel, way: 'do' | 'undo'): Actuation | undefined {
  return ACTUATION_OF[level]?.[way];
}

async function orderStop(deps: EnforcerDeps, action: EnforcementAction): Promise<ActuatorAnswer> {
  const { id, target, withinMs, policy } = action;
  try {
    await deps.stopOrders.order({
      ...{ id, cluster: target.cluster, application: target.id, withinMs, force: false },
      orderedBy: `policy ${policy}`,
      orderedAt: deps.clock.now(),
    });
    return { outcome: 'accepted', detail: 'the stop is ordered' };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { outcome: 'unknown', detail: error.message };
  }
}

/** Asks once what an action is about. The intent to do so must be stored. */
export async function askCluster(
  deps: EnforcerDeps,
  action: EnforcementAction,
  way: 'do' | 'undo',
  signal: AbortSignal,
): Promise<ActuatorAnswer> {
  if (action.means === 'admission') return { outcome: 'accepted', detail: "Tollgate's own" };
  if (action.means === 'stop-order') return await orderStop(deps, action);
  const { target, subject, level, restore, queueBefore } = action;
  const actuation = actuationOf(level, way);
  const actuator = deps.clusters.get(target.cluster)?.actuator;
  if (actuation === undefined || actuator === undefined) {
    return { outcome: 'unsupported', detail: `${target.cluster} has no means to ${way} ${level}` };
  }
  const order = {
    ...{ id: action.id, actuation, subject: target.kind === 'cluster' ? '' : subject },
    startedAt: target.kind === 'project' ? undefined : target.startedAt,
    reason: `tollgate: ${action.rule}, policy ${action.policy}, ${action.id}`,
    ...(restore === undefined ? {} : { restore }),
    ...(actuation === 'uncap-application' ? { queue: queueBefore } : {}),
  };
  return await actuator.act(order, signal);
}
