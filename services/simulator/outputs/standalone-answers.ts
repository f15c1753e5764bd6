import type { ApplicationRun } from '../platform/application-run.ts';
import type { Platform } from '../platform/platform.ts';

const CLUSTER = 'spark-lab';

function application(platform: Platform, run: ApplicationRun): object {
  const { workload, id, submittedAt } = run.app;
  const end = run.state === 'ended' ? run.endedAt : platform.now;
  return {
    id,
    starttime: submittedAt,
    name: workload.name,
    cores: run.state === 'ended' ? 0 : run.executors.length * workload.executorCores,
    user: workload.user,
    memoryperexecutor: workload.executorMemoryMib,
    memoryperslave: workload.executorMemoryMib,
    resourcesperexecutor: [],
    submitdate: new Date(submittedAt).toUTCString(),
    state: run.state === 'ended' ? 'FINISHED' : run.state === 'running' ? 'RUNNING' : 'WAITING',
    duration: end - submittedAt,
  };
}

function masterAnswer(platform: Platform, origin: string): object {
  const cluster = platform.clusters.get(CLUSTER);
  if (cluster === undefined) return {};
  const { nodeCores, nodeMemoryMib } = cluster.spec;
  const { total, free } = cluster.load();
  const runs = platform.runs(CLUSTER);
  return {
    url: 'spark://spark-lab:7077',
    workers: cluster.nodes.map(({ name, cores, memoryMib }) => ({
      id: `worker-${name}`,
      host: name,
      port: 41_851,
      webuiaddress: `${origin}/workers/${name}`,
      cores: nodeCores,
      coresused: nodeCores - cores,
      coresfree: cores,
      memory: nodeMemoryMib,
      memoryused: nodeMemoryMib - memoryMib,
      memoryfree: memoryMib,
      resources: {},
      resourcesused: {},
      resourcesfree: {},
      state: 'ALIVE',
      lastheartbeat: platform.now,
    })),
    aliveworkers: cluster.spec.nodes,
    cores: total.cores,
    coresused: total.cores - free.cores,
    memory: total.memoryMib,
    memoryused: total.memoryMib - free.memoryMib,
    activeapps: runs
      .filter(({ state }) => state !== 'ended')
      .map((run) => application(platform, run)),
    completedapps: runs
      .filter(({ state }) => state === 'ended')
      .map((run) => application(platform, run)),
    activedrivers: [],
    completeddrivers: [],
    status: 'ALIVE',
  };
}

function workerAnswer(platform: Platform, name: string): object | undefined {
  const cluster = platform.clusters.get(CLUSTER);
  const node = cluster?.nodes.find((candidate) => candidate.name === name);
  if (cluster === undefined || node === undefined) return undefined;
  const executors = platform
    .runs(CLUSTER)
    .filter(({ state }) => state !== 'ended')
    .flatMap((run) =>
      run.executors
        .filter((executor) => executor.node === name)
        .map((executor) => ({
          id: Number(executor.id),
          memory: run.app.workload.executorMemoryMib,
          appid: run.app.id,
          appdesc: {
            name: run.app.workload.name,
            cores: run.app.workload.executorCores,
            memoryperexecutor: run.app.workload.executorMemoryMib,
            user: run.app.workload.user,
          },
        })),
    );
  return {
    id: `worker-${name}`,
    masterurl: 'spark://spark-lab:7077',
    cores: cluster.spec.nodeCores,
    coresused: cluster.spec.nodeCores - node.cores,
    memory: cluster.spec.nodeMemoryMib,
    memoryused: cluster.spec.nodeMemoryMib - node.memoryMib,
    executors,
    finishedexecutors: [],
  };
}

/** Answers of a Spark standalone master and its workers (deploy/JsonProtocol.scala). */
export function standaloneAnswer(
  platform: Platform,
  path: string,
  origin: string,
): object | undefined {
  if (/^\/json\/?$/.test(path)) return masterAnswer(platform, origin);
  const worker = /^\/workers\/([\w-]+)\/json\/?$/.exec(path)?.[1];
  return worker === undefined ? undefined : workerAnswer(platform, worker);
}
