import type { Instant } from '../../values/instant.ts';
import { isResources, type Resources } from '../../values/resources.ts';
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

const TAGS_MAX = 100;

/** A machine of a cluster. Source: `SparkNode`. */
export interface DatabricksNode {
  readonly node: string;
  readonly instance: string;
  readonly role: 'driver' | 'worker';
  readonly startedAt: Instant | undefined;
  /** AWS alone says it of each node. */
  readonly isSpot: boolean | undefined;
}

/** How nodes are bought. Sources: `AwsAttributes`, `AzureAttributes`, `GcpAttributes`. */
export interface Purchase {
  readonly later: 'on-demand' | 'spot' | 'spot-with-fallback' | 'unknown';
  /** So many nodes from the first, the driver among them, are on-demand. */
  readonly firstOnDemand: number;
}

/** Source: `ClusterDetails` of API 2.1 (databricks/databricks-sdk-py, service/compute.py). */
export interface DatabricksCluster {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** UI, API, JOB, SQL, MODELS, PIPELINE or PIPELINE_MAINTENANCE. */
  readonly source: string;
  readonly owner: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly driver: DatabricksNode | undefined;
  readonly workers: readonly DatabricksNode[];
  readonly driverType: string;
  readonly workerType: string;
  /** Wanted, which may be more than there are. */
  readonly wantedWorkers: number;
  /** Undefined for a fixed size. */
  readonly maxWorkers: number | undefined;
  /** Of all its nodes, where it is told. */
  readonly total: Resources | undefined;
  readonly purchase: Purchase;
  /** The last start of any part that its state hangs on; see `incarnationOf`. */
  readonly startedAt: Instant | undefined;
  readonly terminatedAt: Instant | undefined;
  readonly lastActivityAt: Instant | undefined;
}

/** Its nodes may be there. Source: `State`. */
const UP = new Set(['PENDING', 'RUNNING', 'RESTARTING', 'RESIZING', 'TERMINATING']);

export function isUp({ state }: Pick<DatabricksCluster, 'state'>): boolean {
  return UP.has(state);
}

const CLUSTER_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

export function isClusterId(id: string): boolean {
  return CLUSTER_ID.test(id);
}

function decodeNode(row: JsonObject, role: DatabricksNode['role']): DatabricksNode | undefined {
  const node = text(row, 'node_id', 200);
  const instance = text(row, 'instance_id', 200);
  if (node === '' && instance === '') return undefined;
  const spot = field(objectAt(row, 'node_aws_attributes'), 'is_spot');
  return {
    node: node === '' ? instance : node,
    instance,
    role,
    startedAt: instantOf(row, 'start_timestamp'),
    isSpot: typeof spot === 'boolean' ? spot : undefined,
  };
}

/** The first of a node listed twice stands. */
function nodesOf(row: JsonObject): Pick<DatabricksCluster, 'driver' | 'workers'> {
  const driver = decodeNode(objectAt(row, 'driver'), 'driver');
  const workers = new Map<string, DatabricksNode>();
  for (const one of objectsIn(field(row, 'executors'))) {
    const worker = decodeNode(one, 'worker');
    if (worker === undefined || worker.node === driver?.node || workers.has(worker.node)) continue;
    workers.set(worker.node, worker);
  }
  return { driver, workers: [...workers.values()] };
}

const AVAILABILITY: Readonly<Record<string, Purchase['later']>> = {
  ON_DEMAND: 'on-demand',
  SPOT: 'spot',
  PREEMPTIBLE: 'spot',
  SPOT_WITH_FALLBACK: 'spot-with-fallback',
  PREEMPTIBLE_WITH_FALLBACK: 'spot-with-fallback',
};

function purchaseOf(row: JsonObject): Purchase {
  for (const cloud of ['aws', 'azure', 'gcp']) {
    const attributes = objectAt(row, `${cloud}_attributes`);
    const written = text(attributes, 'availability').replace(/_(AZURE|GCP)$/, '');
    const later = Object.hasOwn(AVAILABILITY, written) ? AVAILABILITY[written] : undefined;
    if (later !== undefined) {
      return { later, firstOnDemand: count(attributes, 'first_on_demand') ?? 0 };
    }
  }
  return { later: 'unknown', firstOnDemand: 0 };
}

function tagsOf(row: JsonObject): Record<string, string> {
  const all = ['default_tags', 'custom_tags'].flatMap((key) => Object.entries(objectAt(row, key)));
  const told = all.filter((tag): tag is [string, string] => typeof tag[1] === 'string');
  return Object.fromEntries(told.slice(0, TAGS_MAX));
}

function totalOf(row: JsonObject): Resources | undefined {
  const cores = field(row, 'cluster_cores');
  const memoryMib = count(row, 'cluster_memory_mb');
  if (typeof cores !== 'number' || memoryMib === undefined) return undefined;
  const total = { millicores: Math.round(cores * 1_000), memoryMib, gpus: 0 };
  return isResources(total) && total.millicores > 0 ? total : undefined;
}

/**
 * Ids outlive restarts, so the latest start is what tells one life of a cluster from the next.
 * `start_time` is when it was created, `last_restarted_time` is missing in older answers, and a
 * driver that was replaced has lost what ran in it.
 */
function incarnationOf(row: JsonObject, driver: DatabricksNode | undefined): Instant | undefined {
  const times = [
    instantOf(row, 'last_restarted_time'),
    instantOf(row, 'start_time'),
    driver?.startedAt,
  ].filter((at) => at !== undefined);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Undefined for what is no cluster with an id and a state. */
export function decodeCluster(row: unknown): DatabricksCluster | undefined {
  if (!isObject(row)) return undefined;
  const id = text(row, 'cluster_id');
  const state = text(row, 'state', 40);
  if (!isClusterId(id) || state === '') return undefined;
  const nodes = nodesOf(row);
  const maxWorkers = count(objectAt(row, 'autoscale'), 'max_workers');
  const workerType = text(row, 'node_type_id', 200);
  const driverType = text(row, 'driver_node_type_id', 200);
  return {
    id,
    name: text(row, 'cluster_name'),
    state,
    source: text(row, 'cluster_source', 40),
    owner: text(row, 'single_user_name') || text(row, 'creator_user_name'),
    tags: tagsOf(row),
    ...nodes,
    driverType: driverType === '' ? workerType : driverType,
    workerType,
    wantedWorkers: count(row, 'num_workers') ?? nodes.workers.length,
    maxWorkers,
    total: totalOf(row),
    purchase: purchaseOf(row),
    startedAt: incarnationOf(row, nodes.driver),
    terminatedAt: instantOf(row, 'terminated_time'),
    lastActivityAt: instantOf(row, 'last_activity_time'),
  };
}

export interface ClusterPage {
  readonly clusters: readonly DatabricksCluster[];
  readonly unusable: number;
  /** '' on the last page. */
  readonly next: string;
}

/** A page of `clusters/list`; `{}` is an empty one. Undefined when it is something else. */
export function decodeClusterPage(answer: unknown): ClusterPage | undefined {
  if (!isObject(answer)) return undefined;
  const rows = field(answer, 'clusters') ?? [];
  if (!Array.isArray(rows)) return undefined;
  const decoded = rows.map(decodeCluster);
  const clusters = decoded.filter((one) => one !== undefined);
  return {
    clusters,
    unusable: decoded.length - clusters.length,
    next: text(answer, 'next_page_token', 4_000),
  };
}

/** Sizes by node type: the answer of `clusters/list-node-types`. Source: `NodeType`. */
export function decodeNodeTypes(answer: unknown): Map<string, Resources> | undefined {
  if (!isObject(answer) || !Array.isArray(field(answer, 'node_types'))) return undefined;
  const types = new Map<string, Resources>();
  for (const row of objectsIn(field(answer, 'node_types'))) {
    const cores = field(row, 'num_cores');
    const memoryMib = count(row, 'memory_mb');
    if (typeof cores !== 'number' || memoryMib === undefined) continue;
    // Cores may be fractional: nodes that share a machine.
    const gpus = count(row, 'num_gpus') ?? 0;
    const size = { millicores: Math.round(cores * 1_000), memoryMib, gpus };
    if (isResources(size) && size.millicores > 0) types.set(text(row, 'node_type_id', 200), size);
  }
  return types;
}
