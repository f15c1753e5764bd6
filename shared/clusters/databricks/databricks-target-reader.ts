import type { Clock } from '../../runtime/clock.ts';
import type {
  ActivitySight,
  AdmissionSight,
  ApplicationSight,
  ClusterSight,
  TargetReader,
} from '../cluster-actuator.ts';
import type { DatabricksClusters } from './databricks-clusters.ts';
import type { DatabricksCluster } from './decode-cluster.ts';
import { applicationOf, isRunId } from './decode-run.ts';
import { clusterMarket, nodeMarkets } from './node-market.ts';
import type { PolicyPermissions } from './policy-permissions.ts';

export interface DatabricksTargetOptions {
  readonly clusters: DatabricksClusters;
  readonly policies: PolicyPermissions;
  readonly clock: Clock;
}

type Seen = Extract<ClusterSight, { outcome: 'seen' }>;

const STATES: Readonly<Record<string, Seen['state']>> = {
  PENDING: 'starting',
  RESTARTING: 'starting',
  RUNNING: 'running',
  RESIZING: 'running',
  TERMINATING: 'terminating',
  TERMINATED: 'terminated',
};

/** Made and made anew by a service of the workspace: ending them ends nothing. */
export function isMadeAnew({ source }: Pick<DatabricksCluster, 'source'>): boolean {
  return source !== 'UI' && source !== 'API';
}

/** Looks at runs, clusters and policies right before and after an action. */
export class DatabricksTargetReader implements TargetReader {
  readonly #options: DatabricksTargetOptions;

  constructor(options: DatabricksTargetOptions) {
    this.#options = options;
  }

  admission(policy: string, signal: AbortSignal): Promise<AdmissionSight> {
    return this.#options.policies.sight(policy, signal);
  }

  /** @param id of a run, in digits */
  async application(id: string, signal: AbortSignal): Promise<ApplicationSight> {
    if (!isRunId(id)) return { outcome: 'unknown', why: `“${id.slice(0, 80)}” is no id of a run` };
    const { clusters, clock } = this.#options;
    const at = clock.now();
    const told = await clusters.run(id, signal);
    if (told.outcome === 'absent') return { outcome: 'absent', at };
    if (told.outcome === 'unknown') return { outcome: 'unknown', why: told.why };
    const run = told.value;
    if (run.state === undefined) {
      return { outcome: 'unknown', why: `the states of run ${id} contradict each other` };
    }
    const { name, user, queue, tags, startedAt } = applicationOf(run, run.state);
    const { state, finalState } = run;
    return { outcome: 'seen', state, finalState, startedAt, name, user, queue, tags, at };
  }

  async cluster(signal: AbortSignal): Promise<ClusterSight> {
    const { clusters, clock } = this.#options;
    const at = clock.now();
    const selected = await clusters.selected(signal);
    if (selected.outcome === 'absent') return { outcome: 'absent', at };
    if (selected.outcome === 'unknown') return { outcome: 'unknown', why: selected.why };
    const [cluster, ...others] = selected.value;
    if (cluster === undefined) return { outcome: 'absent', at };
    if (others.length > 0) {
      const why = `${others.length + 1} clusters are meant; name one by its id to act on it`;
      return { outcome: 'unknown', why };
    }
    const state = Object.hasOwn(STATES, cluster.state) ? STATES[cluster.state] : undefined;
    if (state === undefined) return { outcome: 'unknown', why: `its state is ${cluster.state}` };
    const activity = state === 'running' ? await this.#activity(cluster, at, signal) : [];
    const { name, startedAt, owner, tags } = cluster;
    const market = clusterMarket(nodeMarkets(cluster));
    const isProtected = isMadeAnew(cluster);
    return {
      outcome: 'seen',
      ...{ state, name, startedAt, owner, tags, market, protected: isProtected, activity, at },
    };
  }

  /**
   * `last_activity_time` covers commands, with their Spark jobs, structured streams and JDBC; neither
   * DStreams nor what a driver does by itself (docs.databricks.com, "automatic termination").
   */
  async #activity(
    { id, lastActivityAt }: DatabricksCluster,
    asOf: number,
    signal: AbortSignal,
  ): Promise<ActivitySight[]> {
    const sights: ActivitySight[] = (
      ['jobs', 'streaming-queries', 'stages', 'sessions'] as const
    ).map((kind) => ({
      signal: kind,
      // A clock that is ahead says that it is active now, not that it will be.
      lastAt: lastActivityAt === undefined ? undefined : Math.min(lastActivityAt, asOf),
      asOf,
      complete: true,
      source: 'last_activity_time of the workspace',
    }));
    const runs = await this.#options.clusters.activeRuns(signal);
    const own = runs.outcome === 'told' && runs.value.some((run) => run.clusters.includes(id));
    const lastAt = own ? asOf : undefined;
    const source = 'runs of the workspace';
    return [...sights, { signal: 'jobs', lastAt, asOf, complete: false, source }];
  }
}
