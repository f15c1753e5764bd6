import type { CancelStepsInfo } from '@aws-sdk/client-emr';
import type {
  Actuation,
  ActuatorAnswer,
  ActuatorOrder,
  ClusterActuator,
} from '../cluster-actuator.ts';
import { type EmrCluster, isStepId } from './decode-emr.ts';
import type { EmrAnswer, EmrSender } from './emr-client.ts';
import type { EmrClusters } from './emr-clusters.ts';

export interface EmrActuatorOptions {
  readonly sender: EmrSender;
  readonly clusters: EmrClusters;
  /** Of its ResourceManager, where one can be reached: what isn't EMR's own goes there. */
  readonly yarn: ClusterActuator | undefined;
  /** What is allowed, of what there are means for. */
  readonly abilities: ReadonlySet<Actuation>;
}

const OWN: readonly Actuation[] = ['kill-application', 'terminate-cluster'];
const refused = (detail: string): ActuatorAnswer => ({ outcome: 'refused', detail });

/**
 * Acts on EMR: cancels steps, terminates clusters, and hands YARN's orders to YARN. Termination
 * protection is respected and never switched off. Each order looks once and asks once.
 */
export class EmrActuator implements ClusterActuator {
  readonly abilities: ReadonlySet<Actuation>;
  readonly #options: EmrActuatorOptions;

  constructor(options: EmrActuatorOptions) {
    this.#options = options;
    const own = OWN.filter((one) => options.abilities.has(one));
    this.abilities = new Set([...own, ...(options.yarn?.abilities ?? [])]);
  }

  async act(order: ActuatorOrder, signal: AbortSignal): Promise<ActuatorAnswer> {
    const { yarn, abilities } = this.#options;
    const { actuation, subject } = order;
    const isOwn = actuation === 'terminate-cluster' || isStepId(subject);
    if (!isOwn && yarn !== undefined) return yarn.act(order, signal);
    if (!OWN.includes(actuation)) {
      return { outcome: 'unsupported', detail: `EMR has no means to ${actuation}` };
    }
    if (!abilities.has(actuation)) {
      return { outcome: 'unsupported', detail: `${actuation} is not allowed here` };
    }
    if (!isOwn) return refused(`“${subject.slice(0, 80)}” is no id of a step`);
    const selected = await this.#options.clusters.selected(signal);
    if (selected.outcome === 'unknown') return refused(selected.why);
    const [cluster, ...others] = selected.outcome === 'told' ? selected.value : [];
    if (cluster === undefined) return refused('there is no such cluster up');
    if (others.length > 0)
      return refused(`${others.length + 1} clusters are meant, none is touched`);
    return actuation === 'terminate-cluster'
      ? this.#terminate(cluster, order, signal)
      : this.#cancel(cluster, order, signal);
  }

  async #terminate(
    { id, startedAt, state, protected: isProtected }: EmrCluster,
    order: ActuatorOrder,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    if (order.subject !== '' && order.subject !== id)
      return refused('another cluster than the one meant');
    if (order.startedAt === undefined || startedAt !== order.startedAt) {
      return refused('another start than the one that is meant');
    }
    if (isProtected) return refused(`${id} is protected from termination`);
    // One that boots does nothing yet, and is no idle one.
    if (state !== 'RUNNING' && state !== 'WAITING') return refused(`its state is ${state}`);
    const answer = await this.#options.sender.ask(
      'TerminateJobFlows',
      (client, options, aws) =>
        client.send(new aws.TerminateJobFlowsCommand({ JobFlowIds: [id] }), options),
      signal,
    );
    return answerOf(answer, () => undefined);
  }

  async #cancel(
    cluster: EmrCluster,
    { subject, startedAt }: ActuatorOrder,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    const { sender, clusters } = this.#options;
    const told = await clusters.step(cluster.id, subject, signal);
    if (told.outcome === 'absent') return refused('the cluster has no such step');
    if (told.outcome === 'unknown') return refused(told.why);
    const step = told.value;
    if (startedAt === undefined || step.startedAt !== startedAt) {
      return refused('another start than the one that is meant');
    }
    if (step.state === 'ended') return refused(`the step has ended: ${step.finalState}`);
    const answer = await sender.ask(
      'CancelSteps',
      (client, options, aws) =>
        client.send(
          new aws.CancelStepsCommand({ ClusterId: cluster.id, StepIds: [subject] }),
          options,
        ),
      signal,
    );
    return answerOf(answer, ({ CancelStepsInfoList = [] }) =>
      refusalOf(CancelStepsInfoList, subject),
    );
  }
}

/** A step may be refused inside an answer of 200. */
function refusalOf(list: readonly CancelStepsInfo[], step: string): string | undefined {
  const own = list.find(({ StepId }) => StepId === step);
  return own?.Status === 'FAILED' ? `CancelSteps: ${(own.Reason ?? '').slice(0, 300)}` : undefined;
}

function answerOf<T>(
  answer: EmrAnswer<T>,
  refusalIn: (body: T) => string | undefined,
): ActuatorAnswer {
  if (answer.outcome === 'lost') return { outcome: 'unknown', detail: answer.detail };
  if (answer.outcome === 'refused') return refused(answer.detail);
  const refusal = refusalIn(answer.body);
  return refusal === undefined ? { outcome: 'accepted', detail: '200' } : refused(refusal);
}
