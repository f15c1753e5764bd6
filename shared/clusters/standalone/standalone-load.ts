import { NO_RESOURCES, type Resources } from '../../values/resources.ts';
import { addResources } from '../add-resources.ts';
import type { ClusterLoad } from '../cluster-reader.ts';
import type { MasterState } from './decode-master.ts';
import type { StandaloneExecutor } from './decode-worker.ts';

function sum(resources: readonly Resources[]): Resources {
  return resources.reduce(addResources, NO_RESOURCES);
}

/**
 * Load of a standalone cluster. Its sums are taken over the alive workers and not from
 * `clusterutilization`, which says 100 when there is none. A master doesn't tell what applications
 * still want: a waiting one counts as one executor with one core, one that has less than its limit
 * as the missing cores, a driver without a worker as itself.
 */
export function standaloneLoad(
  master: MasterState,
  executors: readonly StandaloneExecutor[],
): ClusterLoad {
  const alive = master.workers.filter((worker) => worker.alive);
  const wanted = new Map(executors.map((one) => [one.application, one.coresWanted]));
  const pending: Resources[] = [];
  for (const { application, state, grantedCores, perExecutor } of master.active) {
    const missing = (wanted.get(application) ?? 0) - grantedCores;
    if (state === 'waiting') pending.push({ ...perExecutor, millicores: 1_000 });
    else if (missing > 0) pending.push({ ...NO_RESOURCES, millicores: missing * 1_000 });
  }
  for (const { waiting, cores, memoryMib } of master.drivers) {
    if (waiting) pending.push({ millicores: cores * 1_000, memoryMib, gpus: 0 });
  }
  return {
    allocated: sum(alive.map((worker) => worker.used)),
    pending: sum(pending),
    capacity: sum(alive.map((worker) => worker.capacity)),
  };
}
