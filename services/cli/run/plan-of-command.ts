import { basename } from 'node:path';
import {
  applicationMasterResources,
  clusterManagerOf,
  driverResources,
  executorMemoryMib,
  isClusterMode,
  type Launch,
} from '../../../shared/event-log/container-size.ts';
import type { Resources } from '../../../shared/values/resources.ts';
import { isSparkCommand, readSparkCommand } from './spark-command.ts';

/** What all containers of a job hold together. */
export interface PlannedResources {
  readonly cores: number;
  readonly memoryMib: number;
  readonly gpus: number;
  readonly executors: number;
  /** With the driver or application master that the cluster runs. */
  readonly containers: number;
}

export interface CommandPlan {
  /** Name of the application, by which its earlier runs are found. */
  readonly application: string;
  /** Undefined where the command doesn't tell how much it takes. */
  readonly resources: PlannedResources | undefined;
}

type Configuration = ReadonlyMap<string, string>;

function count(configuration: Configuration, key: string): number | undefined {
  const value = Number(configuration.get(key));
  return configuration.has(key) && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** How many executors it may have at most; undefined where only the cluster's defaults tell. */
function executorsOf(configuration: Configuration, coresEach: number): number | undefined {
  const total = count(configuration, 'spark.cores.max');
  return (
    count(configuration, 'spark.dynamicAllocation.maxExecutors') ??
    count(configuration, 'spark.executor.instances') ??
    (total === undefined ? undefined : Math.max(1, Math.floor(total / coresEach)))
  );
}

/** The driver on the cluster; in client mode, where it runs here, YARN's application master. */
function masterOf(launch: Launch): Resources & { readonly containers: number } {
  const { configuration, manager } = launch;
  if (isClusterMode(configuration)) return { ...driverResources(launch), containers: 1 };
  if (manager === 'yarn') return { ...applicationMasterResources(configuration), containers: 1 };
  return { millicores: 0, memoryMib: 0, gpus: 0, containers: 0 };
}

function resourcesOf(configuration: Configuration): PlannedResources | undefined {
  const coresEach = Math.max(1, count(configuration, 'spark.executor.cores') ?? 1);
  const executors = executorsOf(configuration, coresEach);
  if (executors === undefined) return undefined;
  const launch = { configuration, manager: clusterManagerOf(configuration, '') };
  const gpusEach = count(configuration, 'spark.executor.resource.gpu.amount') ?? 0;
  const master = masterOf(launch);
  return {
    cores: executors * coresEach + master.millicores / 1_000,
    memoryMib: executors * executorMemoryMib(launch, {}) + master.memoryMib,
    gpus: executors * gpusEach + master.gpus,
    executors,
    containers: executors + master.containers,
  };
}

/** What a command line tells of itself. */
export function planOfCommand([program = '', ...args]: readonly string[]): CommandPlan {
  const named = basename(program);
  if (!isSparkCommand(program)) return { application: named, resources: undefined };
  const { configuration, resource } = readSparkCommand(args);
  const application = configuration.get('spark.app.name') ?? basename(resource);
  return { application: application || named, resources: resourcesOf(configuration) };
}
