import type { ApplicationRun } from '../platform/application-run.ts';
import { ApplicationRun as Run } from '../platform/application-run.ts';
import type { Platform } from '../platform/platform.ts';
import type { SimExecutor } from '../platform/sim-event.ts';

const CLUSTER = 'yarn-main';

/** Answers of a YARN ResourceManager (Hadoop 3.x REST); undefined for an address it doesn't have. */
export function yarnAnswer(platform: Platform, path: string): object | undefined {
  const parts = path.replace(/^\/ws\/v1\/cluster\/?/, '').split('/');
  const [resource, id, sub, attempt, last] = parts;
  if (resource === 'info' || resource === '') return clusterInfo(platform);
  if (resource === 'metrics') return clusterMetrics(platform);
  if (resource === 'nodes') return nodes(platform);
  if (resource !== 'apps') return undefined;
  if (id === undefined) return { apps: { app: platform.runs(CLUSTER).map(app(platform)) } };
  const run = platform.runs(CLUSTER).find((candidate) => candidate.app.id === id);
  if (run === undefined) return undefined;
  if (sub === undefined) return { app: app(platform)(run) };
  if (sub !== 'appattempts') return undefined;
  if (attempt === undefined) return { appAttempts: { appAttempt: [attemptOf(run)] } };
  return last === 'containers' ? { container: liveContainers(platform, run) } : attemptOf(run);
}

function clusterInfo(platform: Platform): object {
  return {
    clusterInfo: {
      id: platform.startedAt,
      startedOn: platform.startedAt,
      state: 'STARTED',
      haState: 'ACTIVE',
      resourceManagerVersion: '3.5.0',
    },
  };
}

function clusterMetrics(platform: Platform): object {
  const cluster = platform.clusters.get(CLUSTER);
  if (cluster === undefined) return { clusterMetrics: {} };
  const { total, free, pending } = cluster.load();
  return {
    clusterMetrics: {
      appsRunning: platform.runs(CLUSTER).filter(({ state }) => state === 'running').length,
      reservedMB: 0,
      availableMB: free.memoryMib,
      allocatedMB: total.memoryMib - free.memoryMib,
      pendingMB: pending.memoryMib,
      totalMB: total.memoryMib,
      availableVirtualCores: free.cores,
      allocatedVirtualCores: total.cores - free.cores,
      pendingVirtualCores: pending.cores,
      totalVirtualCores: total.cores,
      reservedVirtualCores: 0,
      totalNodes: cluster.spec.nodes,
      activeNodes: cluster.spec.nodes,
      lostNodes: 0,
      unhealthyNodes: 0,
      decommissionedNodes: 0,
    },
  };
}

function nodes(platform: Platform): object {
  const cluster = platform.clusters.get(CLUSTER);
  const { nodeCores = 0, nodeMemoryMib = 0 } = cluster?.spec ?? {};
  return {
    nodes: {
      node: (cluster?.nodes ?? []).map(({ name, cores, memoryMib }) => ({
        rack: '/default-rack',
        state: 'RUNNING',
        id: `${name}:45454`,
        nodeHostName: name,
        nodeHTTPAddress: `${name}:8042`,
        lastHealthUpdate: platform.now,
        version: '3.5.0',
        usedMemoryMB: nodeMemoryMib - memoryMib,
        availMemoryMB: memoryMib,
        usedVirtualCores: nodeCores - cores,
        availableVirtualCores: cores,
      })),
    },
  };
}

const ended = (run: ApplicationRun): boolean => run.state === 'ended';

function app(platform: Platform): (run: ApplicationRun) => object {
  return (run) => {
    const { workload, id, submittedAt } = run.app;
    const containers = ended(run) ? [] : allContainers(run);
    return {
      id,
      user: workload.user,
      name: workload.name,
      queue: workload.queue,
      state: ended(run) ? 'FINISHED' : run.state === 'running' ? 'RUNNING' : 'ACCEPTED',
      finalStatus: ended(run) ? 'SUCCEEDED' : 'UNDEFINED',
      progress: ended(run) ? 100 : 10,
      trackingUI: ended(run) ? 'History' : 'ApplicationMaster',
      trackingUrl: `http://rm.lab:8088/proxy/${id}/`,
      diagnostics: '',
      clusterId: platform.startedAt,
      applicationType: 'SPARK',
      applicationTags: '',
      startedTime: submittedAt,
      launchTime: submittedAt,
      finishedTime: run.endedAt,
      elapsedTime: (ended(run) ? run.endedAt : platform.now) - submittedAt,
      allocatedMB: ended(run) ? -1 : containers.reduce((sum, c) => sum + c.memoryMib, 0),
      allocatedVCores: ended(run) ? -1 : containers.reduce((sum, c) => sum + c.cores, 0),
      runningContainers: ended(run) ? -1 : containers.length,
      masterNodeId: `${run.driver.node}:45454`,
      resourceInfo: { resourceUsagesByPartition: [{ partitionName: '', pending: pendingOf(run) }] },
    };
  };
}

function pendingOf({ pending, executorNeed }: ApplicationRun): object {
  return { memory: pending * executorNeed.memoryMib, vCores: pending * executorNeed.cores };
}

interface Allocation {
  readonly executor: SimExecutor;
  readonly cores: number;
  readonly memoryMib: number;
}

function allContainers(run: ApplicationRun): Allocation[] {
  return [
    { executor: run.driver, ...Run.driverNeed },
    ...run.executors.map((executor) => ({ executor, ...run.executorNeed })),
  ];
}

function attemptOf(run: ApplicationRun): object {
  return {
    id: run.app.attempt,
    startTime: run.app.submittedAt,
    finishedTime: run.endedAt,
    containerId: run.driver.container,
    nodeId: `${run.driver.node}:45454`,
    appAttemptId: `appattempt_${run.app.id.slice('application_'.length)}_00000${run.app.attempt}`,
  };
}

/** The ResourceManager lists live containers only, with times as numbers in 3.x. */
function liveContainers(platform: Platform, run: ApplicationRun): object[] {
  if (ended(run)) return [];
  return allContainers(run).map(({ executor, cores, memoryMib }) => ({
    containerId: executor.container,
    allocatedMB: memoryMib,
    allocatedVCores: cores,
    assignedNodeId: `${executor.node}:45454`,
    priority: 0,
    startedTime: executor.id === 'driver' ? run.app.submittedAt : executor.requestedAt + 2_000,
    finishedTime: 0,
    elapsedTime: platform.now - executor.requestedAt,
    containerExitStatus: 0,
    containerState: 'RUNNING',
    nodeId: `${executor.node}:45454`,
  }));
}
