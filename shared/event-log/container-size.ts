import type { Resources } from '../values/resources.ts';
import { parseByteSize } from './byte-size.ts';

/** An application's `Spark Properties`; a Map, so that no key of a log can touch a prototype. */
export type Configuration = ReadonlyMap<string, string>;

/** What a ResourceProfile asks for each executor; memory amounts in MiB. */
export interface ExecutorRequest {
  readonly memoryMib?: number;
  readonly overheadMib?: number;
  readonly offHeapMib?: number;
  readonly pysparkMib?: number;
  readonly taskCpus?: number;
}

export type ClusterManager = 'yarn' | 'kubernetes' | 'standalone' | 'local' | 'other';

const MIB = 1024 * 1024;
const MINIMUM_OVERHEAD_MIB = 384;
const DEFAULT_FACTOR = 0.1;

/** How an application was launched: what its containers' sizes follow from. */
export interface Launch {
  readonly configuration: Configuration;
  readonly manager: ClusterManager;
}

/** The manager by `spark.master`; where that is missing or redacted, by the id that it gave. */
export function clusterManagerOf(
  configuration: Configuration,
  application: string,
): ClusterManager {
  const master = configuration.get('spark.master') ?? '';
  if (master.startsWith('yarn')) return 'yarn';
  if (master.startsWith('k8s://')) return 'kubernetes';
  if (master.startsWith('spark://')) return 'standalone';
  if (master.startsWith('local')) return 'local';
  if (/^application_\d+_\d+$/.test(application)) return 'yarn';
  if (/^app-\d{14}-\d{4,}$/.test(application)) return 'standalone';
  return 'other';
}

export function isClusterMode(configuration: Configuration): boolean {
  return (
    configuration.get('spark.submit.deployMode') === 'cluster' ||
    configuration.get('spark.master') === 'yarn-cluster'
  );
}

function mib(configuration: Configuration, keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const bytes = parseByteSize(configuration.get(key), 'm');
    if (bytes !== undefined) return Math.floor(bytes / MIB);
  }
  return undefined;
}

function number(configuration: Configuration, keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = Number(configuration.get(key));
    if (configuration.has(key) && Number.isFinite(value) && value >= 0) return value;
  }
  return undefined;
}

/** What one role's memory is made of, by the names of its options. */
interface MemoryOptions {
  readonly overhead: readonly string[];
  readonly factor: readonly string[];
  readonly minimum: readonly string[];
}

const EXECUTOR: MemoryOptions = {
  overhead: ['spark.executor.memoryOverhead', 'spark.yarn.executor.memoryOverhead'],
  factor: ['spark.executor.memoryOverheadFactor', 'spark.kubernetes.memoryOverheadFactor'],
  minimum: ['spark.executor.minMemoryOverhead'],
};
const DRIVER: MemoryOptions = {
  overhead: ['spark.driver.memoryOverhead', 'spark.yarn.driver.memoryOverhead'],
  factor: ['spark.driver.memoryOverheadFactor', 'spark.kubernetes.memoryOverheadFactor'],
  minimum: ['spark.driver.minMemoryOverhead'],
};
const APPLICATION_MASTER: MemoryOptions = {
  overhead: ['spark.yarn.am.memoryOverhead'],
  factor: [],
  minimum: [],
};

function overheadMib(
  configuration: Configuration,
  heapMib: number,
  options: MemoryOptions,
): number {
  const factor = number(configuration, options.factor) ?? DEFAULT_FACTOR;
  const minimum = mib(configuration, options.minimum) ?? MINIMUM_OVERHEAD_MIB;
  return mib(configuration, options.overhead) ?? Math.max(Math.floor(factor * heapMib), minimum);
}

function isPython(configuration: Configuration): boolean {
  return (
    configuration.get('spark.yarn.isPython') === 'true' ||
    configuration.get('spark.kubernetes.resource.type') === 'python'
  );
}

/** The standalone master and local mode grant the heap alone; every other manager the whole process. */
function grantsHeapOnly(manager: ClusterManager): boolean {
  return manager === 'standalone' || manager === 'local';
}

function offHeapMib(configuration: Configuration): number {
  if (configuration.get('spark.memory.offHeap.enabled') !== 'true') return 0;
  return Math.floor(
    (parseByteSize(configuration.get('spark.memory.offHeap.size'), 'b') ?? 0) / MIB,
  );
}

/**
 * Memory of one executor's container in MiB: heap + overhead + off-heap + Python's.
 * Source: apache/spark core/…/resource/ResourceProfile.scala, getResourcesForClusterManager and
 * calculateOverHeadMemory.
 *
 * @param request what the executor's resource profile asks, where it isn't the default profile
 */
export function executorMemoryMib(launch: Launch, request: ExecutorRequest): number {
  const { configuration, manager } = launch;
  if (manager === 'local') return driverMemoryMib(launch);
  const heap = request.memoryMib ?? mib(configuration, ['spark.executor.memory']) ?? 1024;
  if (grantsHeapOnly(manager)) return heap;
  const overhead = request.overheadMib ?? overheadMib(configuration, heap, EXECUTOR);
  const python = isPython(configuration)
    ? (request.pysparkMib ?? mib(configuration, ['spark.executor.pyspark.memory']) ?? 0)
    : 0;
  return heap + overhead + (request.offHeapMib ?? offHeapMib(configuration)) + python;
}

/** In client mode no manager grants the driver anything: its heap is all that is known of it. */
function driverMemoryMib({ configuration, manager }: Launch): number {
  const heap = mib(configuration, ['spark.driver.memory']) ?? 1024;
  const heapOnly = grantsHeapOnly(manager) || !isClusterMode(configuration);
  return heapOnly ? heap : heap + overheadMib(configuration, heap, DRIVER);
}

export function driverResources(launch: Launch): Resources {
  const { configuration } = launch;
  return {
    millicores: Math.round((number(configuration, ['spark.driver.cores']) ?? 1) * 1000),
    memoryMib: driverMemoryMib(launch),
    gpus: isClusterMode(configuration)
      ? Math.floor(number(configuration, ['spark.driver.resource.gpu.amount']) ?? 0)
      : 0,
  };
}

/** YARN's application master in client mode. Source: apache/spark resource-managers/yarn/…/config.scala. */
export function applicationMasterResources(configuration: Configuration): Resources {
  const heap = mib(configuration, ['spark.yarn.am.memory']) ?? 512;
  return {
    millicores: Math.round((number(configuration, ['spark.yarn.am.cores']) ?? 1) * 1000),
    memoryMib: heap + overheadMib(configuration, heap, APPLICATION_MASTER),
    gpus: 0,
  };
}

/** YARN grants memory in whole steps of its minimum allocation; a step of 0 leaves it as asked. */
export function roundUpMemory(resources: Resources, stepMib: number): Resources {
  if (stepMib <= 0) return resources;
  return { ...resources, memoryMib: Math.ceil(resources.memoryMib / stepMib) * stepMib };
}

/** CPUs that one task takes of an executor, at least one. */
export function taskCpus(configuration: Configuration, request: ExecutorRequest): number {
  return Math.max(
    1,
    Math.floor(request.taskCpus ?? number(configuration, ['spark.task.cpus']) ?? 1),
  );
}
