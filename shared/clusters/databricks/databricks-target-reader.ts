import type { Clock } from '../../runtime/clock.ts';
import { DAY_MS } from '../../values/instant.ts';
import type {
  ActivitySight,
  AdmissionSight,
  ApplicationSight,
  ClusterSight,
  TargetReader,
} from '../cluster-actuator.ts';
import type { DatabricksClusters } from './databricks-clusters.ts';
import type { DatabricksCluster } from './decode-cluster.ts';
import { isGrowth } from './decode-events.ts';
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

/** How far back resizes are asked for. */
const EVENTS_MS = DAY_MS;

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
    const { clusters } = this.#options;
    const runs = await clusters.activeRuns(signal);
    const window = { from: asOf - EVENTS_MS, until: asOf + 1 };
    const resizes = await clusters.resizes(id, window, signal);
    // What may show activity and can't be read leaves it unknown whether there was any.
    const complete = runs.outcome === 'told' && resizes.outcome === 'told';
    const source = 'last_activity_time of the workspace';
    // A clock that is ahead says that it is active now, not that it will be.
    const lastAt = lastActivityAt === undefined ? undefined : Math.min(lastActivityAt, asOf);
    const kinds = ['jobs', 'streaming-queries', 'stages', 'sessions'] as const;
    const sights: ActivitySight[] = kinds.map((kind) => {
      return { signal: kind, lastAt, asOf, complete, source };
    });
    const part = { signal: 'jobs', asOf, complete: false } as const;
    if (runs.outcome === 'told' && runs.value.some((run) => run.clusters.includes(id))) {
      sights.push({ ...part, lastAt: asOf, source: 'runs of the workspace' });
    }
    const growth = resizes.outcome === 'told' ? resizes.value.filter(isGrowth) : [];
    if (growth.length > 0) {
      const grown = Math.min(asOf, Math.max(...growth.map(({ at }) => at)));
      sights.push({ ...part, lastAt: grown, source: 'autoscaler of the workspace' });
    }
    return sights;
  }
}
