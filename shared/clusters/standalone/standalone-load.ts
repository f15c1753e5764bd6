import { NO_RESOURCES, type Resources } from '../../values/resources.ts';
import { addResources } from '../add-resources.ts';
import type { ClusterLoad } from '../cluster-reader.ts';
import type { MasterState } from './decode-master.ts';
import type { StandaloneExecutor } from './decode-worker.ts';

function sum(resources: readonly Resources[]): Resources {
  return resources.reduce(addResources, NO_RESOURCES);
}

/**
 * What each application still wants. A master doesn't tell: a waiting one counts as one executor with
 * one core, one that has less than its limit as the missing cores.
 */
export function standalonePending(
  { active }: Pick<MasterState, 'active'>,
  executors: readonly StandaloneExecutor[],
): Map<string, Resources> {
  const wanted = new Map(executors.map((one) => [one.application, one.coresWanted]));
  const pending = new Map<string, Resources>();
  for (const { application, state, grantedCores, perExecutor } of active) {
    const missing = (wanted.get(application) ?? 0) - grantedCores;
    if (state === 'waiting') pending.set(application, { ...perExecutor, millicores: 1_000 });
    else if (missing > 0) {
      pending.set(application, { ...NO_RESOURCES, millicores: missing * 1_000 });
    }
  }
  return pending;
}

/**
 * Load of a standalone cluster. Its sums are taken over the alive workers and not from
 * `clusterutilization`, which says 100 when there is none. A driver without a worker counts as
 * waiting beside the applications.
 */
export function standaloneLoad(
  master: MasterState,
  executors: readonly StandaloneExecutor[],
): ClusterLoad {
  const alive = master.workers.filter((worker) => worker.alive);
  const drivers = master.drivers.filter(({ waiting }) => waiting);
  const waiting = drivers.map(({ cores, memoryMib }): Resources => {
    return { millicores: cores * 1_000, memoryMib, gpus: 0 };
  });
  return {
    allocated: sum(alive.map((worker) => worker.used)),
    pending: sum([...standalonePending(master, executors).values(), ...waiting]),
    capacity: sum(alive.map((worker) => worker.capacity)),
  };
}
