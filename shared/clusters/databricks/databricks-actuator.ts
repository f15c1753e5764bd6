import type {
  Actuation,
  ActuatorAnswer,
  ActuatorOrder,
  ClusterActuator,
} from '../cluster-actuator.ts';
import type { DatabricksClient } from './databricks-client.ts';
import type { DatabricksClusters } from './databricks-clusters.ts';
import { isMadeAnew } from './databricks-target-reader.ts';
import { isRunId } from './decode-run.ts';
import { actuatorAnswer, type PolicyPermissions } from './policy-permissions.ts';

export interface DatabricksActuatorOptions {
  readonly client: DatabricksClient;
  readonly clusters: DatabricksClusters;
  readonly policies: PolicyPermissions;
  /** What is allowed, of what there are means for. */
  readonly abilities: ReadonlySet<Actuation>;
  /** Policies that may be denied; none else is ever touched. */
  readonly denyPolicies: readonly string[];
}

const MEANS: readonly Actuation[] = [
  'deny-new-work',
  'allow-new-work',
  'kill-application',
  'terminate-cluster',
];

const refused = (detail: string): ActuatorAnswer => ({ outcome: 'refused', detail });

/**
 * Acts on a Databricks workspace: cancels runs, terminates clusters (never deletes one for good), and
 * takes and gives back the use of a cluster policy. Each order looks once and asks once.
 */
export class DatabricksActuator implements ClusterActuator {
  readonly abilities: ReadonlySet<Actuation>;
  readonly #options: DatabricksActuatorOptions;

  constructor(options: DatabricksActuatorOptions) {
    this.#options = options;
    this.abilities = new Set(MEANS.filter((one) => options.abilities.has(one)));
  }

  async act(order: ActuatorOrder, signal: AbortSignal): Promise<ActuatorAnswer> {
    const { policies } = this.#options;
    if (!MEANS.includes(order.actuation)) {
      return { outcome: 'unsupported', detail: `Databricks has no means to ${order.actuation}` };
    }
    if (!this.abilities.has(order.actuation)) {
      return { outcome: 'unsupported', detail: `${order.actuation} is not allowed here` };
    }
    const isDoor = order.actuation === 'deny-new-work' || order.actuation === 'allow-new-work';
    if (isDoor && !this.#options.denyPolicies.includes(order.subject)) {
      return refused('the policy is none of act.denyPolicies');
    }
    switch (order.actuation) {
      case 'deny-new-work':
        return policies.deny(order.subject, order.restore, signal);
      case 'allow-new-work':
        return policies.allow(order.subject, order.restore, signal);
      case 'kill-application':
        return this.#cancelRun(order, signal);
      default:
        return this.#terminate(order, signal);
    }
  }

  /** Cancelling a run ends its retries too; its cluster, killed alone, would be made again. */
  async #cancelRun(
    { subject, startedAt }: ActuatorOrder,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    if (!isRunId(subject)) return refused(`“${subject.slice(0, 80)}” is no id of a run`);
    const { client, clusters } = this.#options;
    const told = await clusters.run(subject, signal);
    if (told.outcome === 'absent') return refused('the workspace has no such run');
    if (told.outcome === 'unknown') return refused(told.why);
    const run = told.value;
    if (startedAt === undefined || run.startedAt !== startedAt) {
      return refused('another start than the one that is meant');
    }
    if (run.state === 'ended') return refused(`the run has ended: ${run.finalState}`);
    const selected = await clusters.selected(signal);
    if (selected.outcome === 'unknown') return refused(selected.why);
    const own = selected.outcome === 'told' ? selected.value : [];
    if (clusters.isOf(run, own) !== true) {
      return refused('the run is not known to run on this cluster alone');
    }
    // An int64: JSON.stringify of a number would round it.
    const body = `{"run_id":${run.id}}`;
    return actuatorAnswer(await client.post('/api/2.2/jobs/runs/cancel', body, signal));
  }

  async #terminate(
    { subject, startedAt }: ActuatorOrder,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    const { client, clusters } = this.#options;
    const selected = await clusters.selected(signal);
    if (selected.outcome === 'unknown') return refused(selected.why);
    const [cluster, ...others] = selected.outcome === 'told' ? selected.value : [];
    if (cluster === undefined) return refused('the workspace has no such cluster up');
    if (others.length > 0)
      return refused(`${others.length + 1} clusters are meant, and none is ended`);
    if (subject !== '' && subject !== cluster.id)
      return refused('another cluster than the one meant');
    if (startedAt === undefined || cluster.startedAt !== startedAt) {
      return refused('another start than the one that is meant');
    }
    if (isMadeAnew(cluster)) {
      return refused(`a cluster of ${cluster.source || 'nobody'} is made again; cancel its run`);
    }
    if (cluster.state !== 'RUNNING' && cluster.state !== 'RESIZING') {
      return refused(`its state is ${cluster.state}`);
    }
    const body = JSON.stringify({ cluster_id: cluster.id });
    return actuatorAnswer(await client.post('/api/2.1/clusters/delete', body, signal));
  }
}
