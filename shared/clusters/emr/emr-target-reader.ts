import type { Clock } from '../../runtime/clock.ts';
import type {
  ActivitySight,
  AdmissionSight,
  ApplicationSight,
  ClusterSight,
  TargetReader,
} from '../cluster-actuator.ts';
import { type EmrCluster, isStepId } from './decode-emr.ts';
import type { EmrClusters } from './emr-clusters.ts';

export interface EmrTargetOptions {
  readonly clusters: EmrClusters;
  /** Of its ResourceManager, where one can be reached. */
  readonly yarn: TargetReader | undefined;
  readonly clock: Clock;
}

type Seen = Extract<ClusterSight, { outcome: 'seen' }>;

const STATES: Readonly<Record<string, Seen['state']>> = {
  STARTING: 'starting',
  BOOTSTRAPPING: 'starting',
  RUNNING: 'running',
  WAITING: 'running',
  TERMINATING: 'terminating',
  TERMINATED: 'terminated',
  TERMINATED_WITH_ERRORS: 'terminated',
};

/** Looks at steps and clusters, and through YARN at applications, right before and after an action. */
export class EmrTargetReader implements TargetReader {
  readonly #options: EmrTargetOptions;

  constructor(options: EmrTargetOptions) {
    this.#options = options;
  }

  async admission(queue: string, signal: AbortSignal): Promise<AdmissionSight> {
    const { yarn } = this.#options;
    if (yarn?.admission !== undefined) return yarn.admission(queue, signal);
    return { outcome: 'unknown', why: 'EMR has no queues of its own; give it its ResourceManager' };
  }

  /** @param id of a step, or of an application of its YARN */
  async application(id: string, signal: AbortSignal): Promise<ApplicationSight> {
    const { clusters, yarn, clock } = this.#options;
    if (!isStepId(id)) {
      if (yarn !== undefined) return yarn.application(id, signal);
      return { outcome: 'unknown', why: `“${id.slice(0, 80)}” is no id of a step` };
    }
    const at = clock.now();
    const cluster = await this.#one(signal);
    if ('outcome' in cluster) {
      return cluster.outcome === 'absent' ? { outcome: 'absent', at } : cluster;
    }
    const told = await clusters.step(cluster.id, id, signal);
    if (told.outcome === 'absent') return { outcome: 'absent', at };
    if (told.outcome === 'unknown') return { outcome: 'unknown', why: told.why };
    const { state, finalState, startedAt, name } = told.value;
    if (state === undefined) return { outcome: 'unknown', why: `the state of ${id} isn't known` };
    const { tags } = cluster;
    return { outcome: 'seen', state, finalState, startedAt, name, user: '', queue: '', tags, at };
  }

  async cluster(signal: AbortSignal): Promise<ClusterSight> {
    const at = this.#options.clock.now();
    const cluster = await this.#one(signal);
    if ('outcome' in cluster) {
      return cluster.outcome === 'absent' ? { outcome: 'absent', at } : cluster;
    }
    const state = Object.hasOwn(STATES, cluster.state) ? STATES[cluster.state] : undefined;
    if (state === undefined) return { outcome: 'unknown', why: `its state is ${cluster.state}` };
    const activity = state === 'running' ? await this.#activity(cluster, at, signal) : [];
    const { name, startedAt, tags, protected: isProtected } = cluster;
    const market = await this.#market(cluster, signal);
    const owner = tags['Owner'] ?? tags['owner'] ?? '';
    return {
      outcome: 'seen',
      ...{ state, name, startedAt, owner, tags, market, protected: isProtected, activity, at },
    };
  }

  async #one(
    signal: AbortSignal,
  ): Promise<EmrCluster | { outcome: 'absent' } | { outcome: 'unknown'; why: string }> {
    const selected = await this.#options.clusters.selected(signal);
    if (selected.outcome === 'absent') return { outcome: 'absent' };
    if (selected.outcome === 'unknown') return { outcome: 'unknown', why: selected.why };
    const [cluster, ...others] = selected.value;
    if (cluster === undefined) return { outcome: 'absent' };
    if (others.length === 0) return cluster;
    const why = `${others.length + 1} clusters are meant; name one by its id to act on it`;
    return { outcome: 'unknown', why };
  }

  async #market(cluster: EmrCluster, signal: AbortSignal): Promise<Seen['market']> {
    const told = await this.#options.clusters.instances(cluster, signal);
    const markets = told.outcome === 'told' ? told.value.map(({ market }) => market) : [];
    if (markets.includes('spot')) return 'spot';
    const all = markets.length > 0 && markets.every((market) => market === 'on-demand');
    return all ? 'on-demand' : 'unknown';
  }

  /**
   * Steps that run or wait are jobs. Their end says nothing of others: work comes to YARN past EMR
   * too (ssh, Livy, notebooks), and only a ResourceManager sees that.
   */
  async #activity({ id }: EmrCluster, asOf: number, signal: AbortSignal): Promise<ActivitySight[]> {
    const told = await this.#options.clusters.steps(id, true, signal);
    const lastAt = told.outcome === 'told' && told.value.length > 0 ? asOf : undefined;
    return [{ signal: 'jobs', lastAt, asOf, complete: false, source: 'steps of EMR' }];
  }
}
