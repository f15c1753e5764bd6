import type { Resources } from '../../values/resources.ts';
import type { ClusterProblemReason } from '../cluster-reader.ts';
import {
  decodeEmrCluster,
  decodeInstance,
  decodeInstanceType,
  decodeStep,
  type EmrCluster,
  type EmrInstance,
  type EmrStep,
} from './decode-emr.ts';
import type { EmrAnswer, EmrSender } from './emr-client.ts';

/** Which clusters of an account and region are meant; EMR gives each start a new id. */
export interface EmrSelection {
  readonly clusterId: string | undefined;
  /** A `*` at its end stands for any text. */
  readonly clusterName: string | undefined;
}

/** What was asked for, whole; or that AWS knows none such; or why it can't be told. */
export type EmrTold<T> =
  | { readonly outcome: 'told'; readonly value: T }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'unknown'; readonly reason: ClusterProblemReason; readonly why: string };

const PAGES_MAX = 100;
const UP_STATES = ['STARTING', 'BOOTSTRAPPING', 'RUNNING', 'WAITING', 'TERMINATING'] as const;

interface Page {
  readonly rows: readonly unknown[];
  readonly marker: string | undefined;
}

function unknown(reason: ClusterProblemReason, why: string): EmrTold<never> {
  return { outcome: 'unknown', reason, why };
}

/** An unknown id is an InvalidRequestException, as many other mistakes are. */
function notAnswered(answer: Exclude<EmrAnswer<never>, { outcome: 'answered' }>): EmrTold<never> {
  const isAbsent =
    answer.outcome === 'refused' &&
    answer.code === 'InvalidRequestException' &&
    /(cluster|step) id '?[\w-]*'? is not valid|does not exist/i.test(answer.detail);
  return isAbsent ? { outcome: 'absent' } : unknown(answer.reason, answer.detail);
}

/** Clusters, machines and steps of EMR. Nothing is ever a part of a list. */
export class EmrClusters {
  readonly #sender: EmrSender;
  readonly #selection: EmrSelection;

  constructor(sender: EmrSender, selection: EmrSelection) {
    this.#sender = sender;
    this.#selection = selection;
  }

  /** Described ones: by id in whatever state, by name those that are up. */
  async selected(signal: AbortSignal): Promise<EmrTold<readonly EmrCluster[]>> {
    const { clusterId, clusterName } = this.#selection;
    if (clusterId !== undefined) {
      const one = await this.describe(clusterId, signal);
      return one.outcome === 'told' ? { outcome: 'told', value: [one.value] } : one;
    }
    const listed = await this.#pages('ListClusters', signal, async (Marker) => {
      return this.#sender.ask(
        'ListClusters',
        async (client, options, aws) => {
          const answer = await client.send(
            new aws.ListClustersCommand({ ClusterStates: [...UP_STATES], Marker }),
            options,
          );
          return { rows: answer.Clusters ?? [], marker: answer.Marker };
        },
        signal,
      );
    });
    if (listed.outcome !== 'told') return listed;
    const clusters: EmrCluster[] = [];
    for (const row of listed.value) {
      const one = decodeEmrCluster(row);
      if (one === undefined) return unknown('not-understood', 'ListClusters: a row without an id');
      if (!isNamed(one.name, clusterName)) continue;
      const described = await this.describe(one.id, signal);
      if (described.outcome === 'unknown') return described;
      if (described.outcome === 'told') clusters.push(described.value);
    }
    return { outcome: 'told', value: clusters };
  }

  async describe(id: string, signal: AbortSignal): Promise<EmrTold<EmrCluster>> {
    const send = this.#sender.ask(
      'DescribeCluster',
      (client, options, aws) =>
        client.send(new aws.DescribeClusterCommand({ ClusterId: id }), options),
      signal,
    );
    const answer = await send;
    if (answer.outcome !== 'answered') return notAnswered(answer);
    const cluster = decodeEmrCluster(answer.body.Cluster);
    if (cluster?.id === id) return { outcome: 'told', value: cluster };
    return unknown('not-understood', `DescribeCluster: the answer is not ${id}`);
  }

  /** Machines that are up. */
  async instances(
    { id, groups }: EmrCluster,
    signal: AbortSignal,
  ): Promise<EmrTold<readonly EmrInstance[]>> {
    const listed = await this.#pages('ListInstances', signal, (Marker) => {
      return this.#sender.ask(
        'ListInstances',
        async (client, options, aws) => {
          const answer = await client.send(
            new aws.ListInstancesCommand({ ClusterId: id, Marker }),
            options,
          );
          return { rows: answer.Instances ?? [], marker: answer.Marker };
        },
        signal,
      );
    });
    if (listed.outcome !== 'told') return listed;
    const decoded = listed.value.map((row) => decodeInstance(row, groups));
    if (decoded.includes(undefined))
      return unknown('not-understood', 'ListInstances: a strange row');
    const up = decoded.filter((one) => one !== 'gone' && one !== undefined);
    return { outcome: 'told', value: [...new Map(up.map((one) => [one.id, one])).values()] };
  }

  /** Steps, newest first as EMR lists them; `active` leaves out those that are over. */
  async steps(
    cluster: string,
    active: boolean,
    signal: AbortSignal,
  ): Promise<EmrTold<readonly EmrStep[]>> {
    const states = active ? (['PENDING', 'CANCEL_PENDING', 'RUNNING'] as const) : undefined;
    const listed = await this.#pages('ListSteps', signal, (Marker) => {
      return this.#sender.ask(
        'ListSteps',
        async (client, options, aws) => {
          const answer = await client.send(
            new aws.ListStepsCommand({
              ClusterId: cluster,
              Marker,
              ...(states === undefined ? {} : { StepStates: [...states] }),
            }),
            options,
          );
          return { rows: answer.Steps ?? [], marker: answer.Marker };
        },
        signal,
      );
    });
    if (listed.outcome !== 'told') return listed;
    const decoded = listed.value.map(decodeStep);
    if (decoded.includes(undefined)) return unknown('not-understood', 'ListSteps: a strange row');
    return { outcome: 'told', value: decoded.filter((step) => step !== undefined) };
  }

  async step(cluster: string, id: string, signal: AbortSignal): Promise<EmrTold<EmrStep>> {
    const answer = await this.#sender.ask(
      'DescribeStep',
      (client, options, aws) =>
        client.send(new aws.DescribeStepCommand({ ClusterId: cluster, StepId: id }), options),
      signal,
    );
    if (answer.outcome !== 'answered') return notAnswered(answer);
    const step = decodeStep(answer.body.Step);
    if (step?.id === id) return { outcome: 'told', value: step };
    return unknown('not-understood', `DescribeStep: the answer is not ${id}`);
  }

  /** Sizes of the machines that a release of EMR runs on. */
  async instanceTypes(
    ReleaseLabel: string,
    signal: AbortSignal,
  ): Promise<EmrTold<ReadonlyMap<string, Resources>>> {
    const listed = await this.#pages('ListSupportedInstanceTypes', signal, (Marker) => {
      return this.#sender.ask(
        'ListSupportedInstanceTypes',
        async (client, options, aws) => {
          const answer = await client.send(
            new aws.ListSupportedInstanceTypesCommand({ ReleaseLabel, Marker }),
            options,
          );
          return { rows: answer.SupportedInstanceTypes ?? [], marker: answer.Marker };
        },
        signal,
      );
    });
    if (listed.outcome !== 'told') return listed;
    const types = listed.value.map(decodeInstanceType).filter((type) => type !== undefined);
    return { outcome: 'told', value: new Map(types) };
  }

  async #pages(
    name: string,
    signal: AbortSignal,
    ask: (marker: string | undefined) => Promise<EmrAnswer<Page>>,
  ): Promise<EmrTold<readonly unknown[]>> {
    const rows: unknown[] = [];
    const markers = new Set<string | undefined>();
    let marker: string | undefined;
    do {
      if (markers.size === PAGES_MAX)
        return unknown('too-large', `${name}: over ${PAGES_MAX} pages`);
      markers.add(marker);
      const answer = await ask(marker);
      signal.throwIfAborted();
      if (answer.outcome !== 'answered') return notAnswered(answer);
      rows.push(...answer.body.rows);
      marker = answer.body.marker === '' ? undefined : answer.body.marker;
      if (marker !== undefined && markers.has(marker)) {
        return unknown('not-understood', `${name}: its pages go in a circle`);
      }
    } while (marker !== undefined);
    return { outcome: 'told', value: rows };
  }
}

function isNamed(name: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
}
