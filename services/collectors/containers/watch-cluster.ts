import type { ClusterReader, ClusterSnapshot } from '../../../shared/clusters/cluster-reader.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { CheckpointReader } from '../../../shared/stores/checkpoint.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import { poll } from '../inputs/poll-input.ts';
import {
  type ClusterState,
  clusterPrefix,
  restoreState,
  stateCheckpoints,
} from './cluster-state.ts';
import { type ObserveContext, observeCluster } from './observe-cluster.ts';
import type { RecordFacts } from './record-facts.ts';

export interface WatchClusterDeps {
  readonly reader: ClusterReader;
  readonly observe: ObserveContext;
  readonly pollIntervalMs: number;
  readonly checkpoints: CheckpointReader;
  readonly record: RecordFacts;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const MAX_TOLD = 1_000;

/** Says each problem once when it comes and once when it has gone. */
class ProblemLog {
  readonly #logger: Logger;
  #told = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  report(problems: ClusterSnapshot['problems']): void {
    const now = new Set<string>();
    for (const { reason, subject, detail } of problems) {
      const key = `${reason} ${subject}`;
      if (now.size < MAX_TOLD) now.add(key);
      if (!this.#told.has(key)) this.#logger.warn({ reason, subject, detail }, 'cluster problem');
    }
    for (const key of this.#told) {
      if (!now.has(key)) this.#logger.info({ problem: key }, 'cluster problem has gone');
    }
    this.#told = now;
  }
}

function openApplications({ containers, applications }: ClusterState): Map<string, Set<string>> {
  const open = new Map<string, Set<string>>();
  for (const application of applications.keys()) open.set(application, new Set());
  for (const { application, attempt } of containers.values()) {
    const attempts = open.get(application) ?? new Set();
    open.set(application, attempts.add(attempt));
  }
  return open;
}

/** Looks at a cluster once an interval and journals what it sees, until the signal aborts. */
export async function watchCluster(deps: WatchClusterDeps, signal: AbortSignal): Promise<void> {
  const { reader, observe, record, clock, metrics } = deps;
  const { cluster, witness } = observe;
  const looks = metrics.counter('tollgate_cluster_looks_total', 'Looks at clusters, by outcome.');
  const problems = metrics.counter(
    'tollgate_cluster_problems_total',
    'Parts of cluster answers that were missing or not understood, by reason.',
  );
  const open = metrics.gauge('tollgate_cluster_open_containers', 'Containers seen and not ended.');
  const log = new ProblemLog(deps.logger.child({ cluster }));
  const prefix = clusterPrefix(cluster);
  let state = restoreState(prefix, await deps.checkpoints.checkpoints(prefix));
  for await (const _ of poll(deps.pollIntervalMs, clock, signal)) {
    const snapshot = await reader.snapshot(openApplications(state), signal);
    log.report(snapshot.problems);
    for (const { reason } of snapshot.problems) problems({ witness, reason });
    looks({ witness, outcome: snapshot.listed ? 'listed' : 'failed' });
    const { facts, evidence, after, touched, nodesChanged } = observeCluster(
      state,
      snapshot,
      observe,
    );
    const checkpoints = stateCheckpoints(prefix, after, touched, nodesChanged);
    // Ids are deterministic; where a first sight differs from one before a lost state, the first stands.
    await record({ facts, evidence, checkpoints }, signal);
    state = after;
    open({ cluster }, state.containers.size);
  }
}
