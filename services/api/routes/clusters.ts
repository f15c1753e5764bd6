import { restClusters } from '../../../shared/contracts/rest.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { Resources } from '../../../shared/values/resources.ts';
import type { ApiDeps, ClusterInfo } from '../api-deps.ts';
import { managerHome } from '../application-links.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { LoadHistory } from './load-history.ts';

type Deps = Pick<ApiDeps, 'journal' | 'clusters' | 'clock'>;

/** Points of the chart; more than a screen shows would only cost. */
const POINTS_MAX = 240;

const cores = (resources: Resources): number => resources.millicores / 1_000;

function toRestResources(resources: Resources) {
  return { cores: cores(resources), memoryMib: resources.memoryMib, gpus: resources.gpus };
}

/** Every n-th entry and the last one. */
function thin<T>(entries: readonly T[]): T[] {
  const step = Math.ceil(entries.length / POINTS_MAX);
  return entries.filter((_, i) => (entries.length - 1 - i) % step === 0);
}

async function clusterOf(deps: Deps, history: LoadHistory, info: ClusterInfo) {
  const loads = await history.read(info.id, deps.clock.now());
  const last = loads.at(-1);
  const nodes = await deps.journal.nodes(info.id);
  return {
    id: info.id,
    type: info.type,
    pool: info.pool,
    load:
      last === undefined
        ? null
        : {
            at: formatInstant(last.at),
            allocated: toRestResources(last.allocated),
            pending: toRestResources(last.pending),
            capacity: toRestResources(last.capacity),
          },
    history: thin(loads).map((load) => ({
      at: formatInstant(load.at),
      allocated: cores(load.allocated),
      pending: cores(load.pending),
      capacity: cores(load.capacity),
    })),
    nodes: nodes.filter(({ kind }) => kind === 'node-started').length,
    link: managerHome(info),
  };
}

export function clusterEndpoints(deps: Deps): Endpoint[] {
  const history = new LoadHistory(deps.journal);
  return [
    endpoint({
      method: 'get',
      path: '/v1/clusters',
      scope: 'read',
      summary: 'Clusters with their load of the last two hours',
      answer: restClusters,
      async handle() {
        const clusters = deps.clusters.map((info) => clusterOf(deps, history, info));
        return { clusters: await Promise.all(clusters) };
      },
    }),
  ];
}
