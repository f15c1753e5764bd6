import type { NodeFact } from '../../contracts/container-fact.ts';
import type { DatabricksCluster, DatabricksNode } from './decode-cluster.ts';

type Market = NodeFact['market'];

/**
 * How each node is bought. AWS says it of the node. Elsewhere it follows from the cluster: the first
 * `first_on_demand` nodes in the order of their start, the driver first, are on-demand. Unknown stays
 * what may have fallen back, and workers that started at once and can't all be among the first.
 */
export function nodeMarkets({
  driver,
  workers,
  purchase,
}: Pick<DatabricksCluster, 'driver' | 'workers' | 'purchase'>): ReadonlyMap<string, Market> {
  const { later, firstOnDemand } = purchase;
  const rest: Market = later === 'spot-with-fallback' ? 'unknown' : later;
  const markets = new Map<string, Market>();
  const settle = ({ node, isSpot }: DatabricksNode, followed: Market): void => {
    markets.set(node, isSpot === undefined ? followed : isSpot ? 'spot' : 'on-demand');
  };
  if (driver !== undefined) settle(driver, firstOnDemand > 0 ? 'on-demand' : rest);
  const places = Math.max(0, firstOnDemand - 1);
  for (const worker of workers) {
    const { startedAt } = worker;
    const sooner = workers.filter((one) => startsBefore(one, startedAt)).length;
    const together = workers.filter((one) => one.startedAt === startedAt).length;
    if (rest === 'on-demand' || places >= workers.length) settle(worker, 'on-demand');
    else if (places === 0) settle(worker, rest);
    else if (startedAt === undefined || workers.some((one) => one.startedAt === undefined)) {
      settle(worker, 'unknown');
    } else if (sooner + together <= places) settle(worker, 'on-demand');
    else settle(worker, sooner >= places ? rest : 'unknown');
  }
  return markets;
}

function startsBefore(one: DatabricksNode, at: number | undefined): boolean {
  return one.startedAt !== undefined && at !== undefined && one.startedAt < at;
}

/** Of a whole cluster: spot where any node is, on-demand where all are. */
export function clusterMarket(markets: ReadonlyMap<string, Market>): Market {
  const all = [...markets.values()];
  if (all.includes('spot')) return 'spot';
  return all.length > 0 && all.every((market) => market === 'on-demand') ? 'on-demand' : 'unknown';
}
