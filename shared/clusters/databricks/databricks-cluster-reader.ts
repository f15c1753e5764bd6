import type { Clock } from '../../runtime/clock.ts';
import { HOUR_MS } from '../../values/instant.ts';
import type {
  ClusterReader,
  ClusterSnapshot,
  OpenApplications,
  SeenApplication,
} from '../cluster-reader.ts';
import { mapBounded } from '../map-bounded.ts';
import { SnapshotBuilder } from '../snapshot-builder.ts';
import type { DatabricksClient } from './databricks-client.ts';
import type { DatabricksClusters, Told } from './databricks-clusters.ts';
import { databricksLoad, databricksNodes, type NodeTypes } from './databricks-load.ts';
import { type DatabricksCluster, decodeNodeTypes } from './decode-cluster.ts';
import { applicationOf, type DatabricksRun, isRunId } from './decode-run.ts';

export interface DatabricksReaderOptions {
  readonly client: DatabricksClient;
  readonly clusters: DatabricksClusters;
  /** False where the agent tells of applications, so that none counts twice. */
  readonly readRuns: boolean;
  readonly parallelRequests: number;
  readonly clock: Clock;
}

const TYPES_MAX_AGE_MS = HOUR_MS;

/**
 * Sees clusters of a Databricks workspace through its REST API: machines, load, and runs of jobs as
 * applications. It sees no containers: agent and event logs tell these.
 */
export class DatabricksClusterReader implements ClusterReader {
  readonly witness = 'databricks';
  readonly #options: DatabricksReaderOptions;
  #types: NodeTypes = new Map();
  #typesAt = Number.NEGATIVE_INFINITY;

  constructor(options: DatabricksReaderOptions) {
    this.#options = options;
  }

  async snapshot(open: OpenApplications, signal: AbortSignal): Promise<ClusterSnapshot> {
    const { clusters, clock, readRuns } = this.#options;
    const snapshot = new SnapshotBuilder(clock.now());
    const selected = await clusters.selected(signal);
    if (selected.outcome === 'unknown') {
      snapshot.problem(selected.reason, 'clusters', selected.why);
      return snapshot.build();
    }
    if (selected.outcome === 'absent') {
      snapshot.problem('not-understood', 'clusters', 'the workspace has no such cluster');
      return snapshot.build();
    }
    await this.#readNodes(selected.value, snapshot, signal);
    if (readRuns) await this.#readRuns({ open, clusters: selected.value, snapshot, signal });
    else snapshot.listed = true;
    return snapshot.build();
  }

  async #readNodes(
    clusters: readonly DatabricksCluster[],
    snapshot: SnapshotBuilder,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#refreshTypes(clusters, snapshot, signal);
    const { nodes, unsized } = databricksNodes(clusters, this.#types);
    snapshot.nodes = nodes;
    snapshot.load = databricksLoad(clusters, this.#types);
    for (const node of unsized) {
      snapshot.problem('size-unknown', node, 'the workspace tells no size of its node type');
    }
  }

  /** Sizes hardly ever change: they are asked for when one is missing, and once an hour. */
  async #refreshTypes(
    clusters: readonly DatabricksCluster[],
    snapshot: SnapshotBuilder,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock } = this.#options;
    if (clusters.length === 0 || clock.elapsed() - this.#typesAt < TYPES_MAX_AGE_MS) return;
    const answer = await client.get('/api/2.1/clusters/list-node-types', undefined, signal);
    const types = answer.outcome === 'answered' ? decodeNodeTypes(answer.body) : undefined;
    if (types !== undefined) {
      this.#types = types;
      this.#typesAt = clock.elapsed();
      return;
    }
    const [reason, why] =
      answer.outcome === 'answered'
        ? (['not-understood', 'the answer lists no node types'] as const)
        : ([answer.reason, answer.detail] as const);
    snapshot.problem(reason, 'node-types', why);
  }

  async #readRuns(look: {
    readonly open: OpenApplications;
    readonly clusters: readonly DatabricksCluster[];
    readonly snapshot: SnapshotBuilder;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { snapshot, signal, open } = look;
    const { clusters } = this.#options;
    const active = await clusters.activeRuns(signal);
    if (active.outcome !== 'told') {
      const why = active.outcome === 'unknown' ? active.why : 'there is no such list';
      snapshot.problem(active.outcome === 'unknown' ? active.reason : 'bad-status', 'runs', why);
      return;
    }
    const listed = new Set(active.value.map(({ id }) => id));
    const missing = [...open.keys()].filter((id) => isRunId(id) && !listed.has(id));
    const asked = await mapBounded(missing, this.#options.parallelRequests, async (id) => ({
      id,
      told: await clusters.run(id, signal),
    }));
    for (const run of active.value) {
      if (open.has(run.id) || clusters.isOf(run, look.clusters) === true) {
        this.#add(run, snapshot);
      }
    }
    for (const { id, told } of asked) this.#addAsked(id, told, snapshot);
    snapshot.listed = true;
  }

  #addAsked(id: string, told: Told<DatabricksRun>, snapshot: SnapshotBuilder): void {
    if (told.outcome === 'told') this.#add(told.value, snapshot);
    else if (told.outcome === 'unknown') {
      snapshot.problem(told.reason, id, told.why);
      snapshot.failed.add(id);
    }
  }

  #add(run: DatabricksRun, snapshot: SnapshotBuilder): void {
    const state: SeenApplication['state'] | undefined = run.state;
    if (state === undefined) {
      snapshot.problem('not-understood', run.id, 'its states contradict each other');
      snapshot.failed.add(run.id);
      return;
    }
    snapshot.applications.push(applicationOf(run, state));
    snapshot.answered.add(run.id);
  }
}
