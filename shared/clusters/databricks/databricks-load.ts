import { isResources, NO_RESOURCES, type Resources } from '../../values/resources.ts';
import { addResources } from '../add-resources.ts';
import type { ClusterLoad, SeenNode } from '../cluster-reader.ts';
import { type DatabricksCluster, isUp } from './decode-cluster.ts';
import { nodeMarkets } from './node-market.ts';

/** Sizes by node type. */
export type NodeTypes = ReadonlyMap<string, Resources>;

interface Sizes {
  readonly driver: Resources | undefined;
  readonly worker: Resources | undefined;
}

/** By type, else an equal part of the total where all nodes are of one type. */
function sizesOf(cluster: DatabricksCluster, types: NodeTypes): Sizes {
  const { driverType, workerType, total, workers, driver } = cluster;
  const nodes = workers.length + (driver === undefined ? 0 : 1);
  const part = (sum: number): number => Math.floor(sum / nodes);
  const equal =
    total === undefined || nodes === 0 || driverType !== workerType
      ? undefined
      : { millicores: part(total.millicores), memoryMib: part(total.memoryMib), gpus: 0 };
  return { driver: types.get(driverType) ?? equal, worker: types.get(workerType) ?? equal };
}

function times(size: Resources, n: number): Resources {
  const { millicores, memoryMib, gpus } = size;
  return { millicores: millicores * n, memoryMib: memoryMib * n, gpus: gpus * n };
}

/** Its machines; one of unknown size holds nothing, and is named in `unsized`. */
export function databricksNodes(
  clusters: readonly DatabricksCluster[],
  types: NodeTypes,
): { readonly nodes: SeenNode[]; readonly unsized: string[] } {
  const nodes: SeenNode[] = [];
  const unsized: string[] = [];
  for (const cluster of clusters.filter(isUp)) {
    const { driver, workers } = cluster;
    const sizes = sizesOf(cluster, types);
    const markets = nodeMarkets(cluster);
    for (const one of driver === undefined ? workers : [driver, ...workers]) {
      const { node, instance, role } = one;
      const size = sizes[role];
      if (size === undefined) unsized.push(node);
      const market = markets.get(node) ?? 'unknown';
      const type = role === 'driver' ? cluster.driverType : cluster.workerType;
      const own = { 'databricks-cluster': cluster.id, 'node-type': type, role };
      nodes.push({
        node,
        capacity: size ?? NO_RESOURCES,
        market,
        ...(instance === '' ? {} : { instance }),
        tags: { ...cluster.tags, ...own },
      });
    }
  }
  return { nodes, unsized };
}

/**
 * Load: a cluster's Spark holds all machines that it has, whatever it does with them, so that
 * `allocated` is what is there and the autoscaler's limit is what tells full from half full.
 * `pending` is what it has asked the cloud for and doesn't have yet. Undefined where a size isn't
 * known: a sum without it would be wrong.
 */
export function databricksLoad(
  clusters: readonly DatabricksCluster[],
  types: NodeTypes,
): ClusterLoad | undefined {
  let allocated = NO_RESOURCES;
  let pending = NO_RESOURCES;
  let capacity = NO_RESOURCES;
  let most = NO_RESOURCES;
  for (const cluster of clusters.filter(isUp)) {
    const { driver, workers, state, wantedWorkers, maxWorkers = 0 } = cluster;
    const sizes = sizesOf(cluster, types);
    if (sizes.driver === undefined || sizes.worker === undefined) return undefined;
    const ends = state === 'TERMINATING';
    const missing = ends ? 0 : Math.max(0, wantedWorkers - workers.length);
    const noDriver = driver === undefined && !ends;
    const there = addResources(
      driver === undefined ? NO_RESOURCES : sizes.driver,
      times(sizes.worker, workers.length),
    );
    const asked = addResources(
      noDriver ? sizes.driver : NO_RESOURCES,
      times(sizes.worker, missing),
    );
    const limit = ends ? workers.length : Math.max(maxWorkers, workers.length + missing);
    capacity = addResources(capacity, there);
    if (state === 'RUNNING' || state === 'RESIZING') allocated = addResources(allocated, there);
    pending = addResources(pending, asked);
    most = addResources(most, addResources(sizes.driver, times(sizes.worker, limit)));
  }
  const load = { allocated, pending, capacity, capacityMax: most };
  return Object.values(load).every(isResources) ? load : undefined;
}
