import type { Clock } from '../../runtime/clock.ts';
import { HOUR_MS } from '../../values/instant.ts';
import { NO_RESOURCES, type Resources } from '../../values/resources.ts';
import type {
  ClusterReader,
  ClusterSnapshot,
  OpenApplications,
  SeenApplication,
  SeenNode,
} from '../cluster-reader.ts';
import { SnapshotBuilder } from '../snapshot-builder.ts';
import { type EmrCluster, type EmrInstance, type EmrStep, isStepId } from './decode-emr.ts';
import type { EmrClusters } from './emr-clusters.ts';

export interface EmrReaderOptions {
  readonly clusters: EmrClusters;
  /** Its ResourceManager, where one can be reached: it sees applications, containers and load. */
  readonly yarn: ClusterReader | undefined;
  readonly clock: Clock;
}

const TYPES_MAX_AGE_MS = HOUR_MS;
/** Its machines may be there. */
const UP = new Set(['STARTING', 'BOOTSTRAPPING', 'RUNNING', 'WAITING', 'TERMINATING']);

/** A step as an application of the journal; undefined for one whose state isn't known. */
export function applicationOf(step: EmrStep, cluster: EmrCluster): SeenApplication | undefined {
  const { id, name, state, startedAt, endedAt } = step;
  if (state === undefined) return undefined;
  return {
    application: id,
    attempt: '',
    name,
    user: '',
    queue: '',
    tags: { ...cluster.tags, 'emr-cluster': cluster.id },
    url: '',
    state,
    startedAt,
    endedAt,
    endedAttempts: new Map(),
  };
}

/** `ip-10-0-0-1.ec2.internal:8041` and the plain name are one machine. */
function hostOf(node: string): string {
  return node.replace(/:\d+$/, '').toLowerCase();
}

/**
 * Sees a cluster of EMR: machines with market and instance from EMR, and from its YARN, where that is
 * reached, applications, containers and load. Without YARN its steps are its applications, and its
 * load is unknown: EMR doesn't tell what is allotted.
 */
export class EmrClusterReader implements ClusterReader {
  readonly witness: 'yarn' | 'emr';
  readonly #options: EmrReaderOptions;
  readonly #types = new Map<string, { at: number; sizes: ReadonlyMap<string, Resources> }>();

  constructor(options: EmrReaderOptions) {
    this.#options = options;
    this.witness = options.yarn === undefined ? 'emr' : 'yarn';
  }

  async snapshot(open: OpenApplications, signal: AbortSignal): Promise<ClusterSnapshot> {
    const { clusters, yarn, clock } = this.#options;
    const snapshot = new SnapshotBuilder(clock.now());
    const inYarn = await yarn?.snapshot(open, signal);
    const selected = await clusters.selected(signal);
    const up =
      selected.outcome === 'told' ? selected.value.filter(({ state }) => UP.has(state)) : [];
    if (selected.outcome === 'unknown') {
      snapshot.problem(selected.reason, 'clusters', selected.why);
    } else await this.#readNodes(up, inYarn?.nodes ?? [], { snapshot, signal });
    if (inYarn !== undefined) return joined(inYarn, snapshot.build());
    if (selected.outcome !== 'unknown') await this.#readSteps(up, open, { snapshot, signal });
    return snapshot.build();
  }

  async #readNodes(
    clusters: readonly EmrCluster[],
    inYarn: readonly SeenNode[],
    { snapshot, signal }: { readonly snapshot: SnapshotBuilder; readonly signal: AbortSignal },
  ): Promise<void> {
    const byHost = new Map(inYarn.map((one) => [hostOf(one.node), one]));
    const nodes: SeenNode[] = [];
    for (const cluster of clusters) {
      const told = await this.#options.clusters.instances(cluster, signal);
      if (told.outcome === 'absent') continue;
      if (told.outcome === 'unknown') {
        // A part of the machines would make the others look gone.
        snapshot.problem(told.reason, cluster.id, told.why);
        return;
      }
      const sizes = await this.#sizes(cluster, { snapshot, signal });
      for (const instance of told.value) {
        const yarn = byHost.get(hostOf(instance.host));
        const capacity = yarn?.capacity ?? sizes.get(instance.type);
        if (capacity === undefined) {
          snapshot.problem('size-unknown', instance.id, `of type ${instance.type || 'unknown'}`);
        }
        nodes.push(nodeOf(instance, cluster, yarn, capacity ?? NO_RESOURCES));
      }
    }
    snapshot.nodes = nodes;
  }

  /** Asked for once an hour and release, also where the answer was none. */
  async #sizes(
    { releaseLabel }: EmrCluster,
    { snapshot, signal }: { readonly snapshot: SnapshotBuilder; readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<string, Resources>> {
    const { clusters, clock } = this.#options;
    const before = this.#types.get(releaseLabel);
    if (releaseLabel === '') return new Map();
    if (before !== undefined && clock.elapsed() - before.at < TYPES_MAX_AGE_MS) return before.sizes;
    const told = await clusters.instanceTypes(releaseLabel, signal);
    const sizes = told.outcome === 'told' ? told.value : (before?.sizes ?? new Map());
    if (told.outcome === 'unknown') snapshot.problem(told.reason, releaseLabel, told.why);
    this.#types.set(releaseLabel, { at: clock.elapsed(), sizes });
    return sizes;
  }

  async #readSteps(
    clusters: readonly EmrCluster[],
    open: OpenApplications,
    { snapshot, signal }: { readonly snapshot: SnapshotBuilder; readonly signal: AbortSignal },
  ): Promise<void> {
    const asked = new Set([...open.keys()].filter(isStepId));
    let whole = true;
    for (const cluster of clusters) {
      // One that was open may have ended since: then all are listed, with their ends.
      const told = await this.#options.clusters.steps(cluster.id, asked.size === 0, signal);
      if (told.outcome !== 'told') {
        whole = false;
        if (told.outcome === 'unknown') snapshot.problem(told.reason, cluster.id, told.why);
        continue;
      }
      for (const step of told.value) {
        const application = applicationOf(step, cluster);
        if (application === undefined) {
          snapshot.problem('not-understood', step.id, 'its state is none that is known');
          snapshot.failed.add(step.id);
        } else if (application.state !== 'ended' || asked.has(step.id)) {
          snapshot.applications.push(application);
          snapshot.answered.add(step.id);
        }
      }
    }
    snapshot.listed = whole;
  }
}

function nodeOf(
  { id, type, market }: EmrInstance,
  cluster: EmrCluster,
  yarn: SeenNode | undefined,
  capacity: Resources,
): SeenNode {
  const own = { 'emr-cluster': cluster.id, 'node-type': type };
  const tags = { ...yarn?.tags, ...cluster.tags, ...own };
  return { node: id, capacity, market, instance: id, tags };
}

/** YARN's word for what runs, EMR's for the machines it runs on. */
function joined(inYarn: ClusterSnapshot, inEmr: ClusterSnapshot): ClusterSnapshot {
  return {
    ...inYarn,
    nodes: inEmr.nodes,
    problems: [...inYarn.problems, ...inEmr.problems],
  };
}
