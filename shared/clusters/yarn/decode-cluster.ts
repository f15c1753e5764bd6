import type { Instant } from '../../values/instant.ts';
import { isResources, NO_RESOURCES, type Resources } from '../../values/resources.ts';
import type { ClusterLoad, SeenNode } from '../cluster-reader.ts';
import {
  count,
  field,
  instantOf,
  isObject,
  type JsonObject,
  objectAt,
  objectsIn,
  text,
} from '../lenient-json.ts';
import { nodeTags } from './node-tags.ts';
import { resourcesOfInfo } from './yarn-resources.ts';

function sum(metrics: JsonObject, cores: string, memory: string): Resources | undefined {
  const vCores = count(metrics, cores);
  const memoryMib = count(metrics, memory);
  if (vCores === undefined || memoryMib === undefined) return undefined;
  const resources = { millicores: vCores * 1_000, memoryMib, gpus: 0 };
  return isResources(resources) ? resources : undefined;
}

/** Over all node labels where the scheduler keeps these sums, since the plain ones may leave labels out. */
function acrossPartitions(metrics: JsonObject, key: string): Resources | undefined {
  if (field(metrics, 'crossPartitionMetricsAvailable') !== true) return undefined;
  return resourcesOfInfo(objectAt(metrics, key));
}

/**
 * The answer of `/ws/v1/cluster/metrics`; undefined when a needed sum is missing or -1. Managers
 * before 3.3 have no pending sums: then `pendingOfApplications` stands for them.
 * Source: …/webapp/dao/ClusterMetricsInfo.java.
 */
export function decodeLoad(
  answer: unknown,
  pendingOfApplications: Resources,
): ClusterLoad | undefined {
  const metrics = objectAt(answer, 'clusterMetrics');
  const allocated =
    acrossPartitions(metrics, 'totalUsedResourcesAcrossPartition') ??
    sum(metrics, 'allocatedVirtualCores', 'allocatedMB');
  const capacity =
    acrossPartitions(metrics, 'totalClusterResourcesAcrossPartition') ??
    sum(metrics, 'totalVirtualCores', 'totalMB');
  if (allocated === undefined || capacity === undefined) return undefined;
  const { gpus } = pendingOfApplications;
  const summed = sum(metrics, 'pendingVirtualCores', 'pendingMB');
  // The sums know cores and memory alone.
  const pending = summed === undefined ? pendingOfApplications : { ...summed, gpus };
  return { allocated, pending, capacity };
}

export interface YarnInfo {
  /** It decides; another one stands by, or is starting. */
  readonly active: boolean;
  /** As it calls itself, such as `STANDBY`. */
  readonly state: string;
  readonly startedAt: Instant | undefined;
}

/**
 * The answer of `/ws/v1/cluster/info`, the one that a standby gives itself; undefined when it is
 * something else. Source: …/webapp/dao/ClusterInfo.java.
 */
export function decodeInfo(answer: unknown): YarnInfo | undefined {
  const info = objectAt(answer, 'clusterInfo');
  const [state, haState] = [text(info, 'state'), text(info, 'haState')];
  if (state === '' || haState === '') return undefined;
  return {
    active: state === 'STARTED' && haState === 'ACTIVE',
    state: haState === 'ACTIVE' ? state : haState,
    startedAt: instantOf(info, 'startedOn'),
  };
}

/** In these states a node carries containers. Source: …/yarn/api/records/NodeState.java. */
const UP = new Set(['RUNNING', 'DECOMMISSIONING']);

function capacityOf(row: JsonObject): Resources {
  const total = resourcesOfInfo(objectAt(row, 'totalResource'));
  if (total !== undefined) return total;
  const memoryMib = (count(row, 'usedMemoryMB') ?? 0) + (count(row, 'availMemoryMB') ?? 0);
  const vCores = (count(row, 'usedVirtualCores') ?? 0) + (count(row, 'availableVirtualCores') ?? 0);
  const capacity = { millicores: vCores * 1_000, memoryMib, gpus: 0 };
  return isResources(capacity) ? capacity : NO_RESOURCES;
}

/** Nodes that are up in the answer of `/ws/v1/cluster/nodes`; a node listed twice counts once. */
export function decodeNodes(answer: unknown): SeenNode[] | undefined {
  if (!isObject(answer) || !Object.hasOwn(answer, 'nodes')) return undefined;
  const nodes = new Map<string, SeenNode>();
  for (const row of objectsIn(field(objectAt(answer, 'nodes'), 'node'))) {
    const node = text(row, 'id');
    if (node === '' || !UP.has(text(row, 'state'))) continue;
    nodes.set(node, { node, capacity: capacityOf(row), ...nodeTags(row) });
  }
  return [...nodes.values()];
}
