import type { LoadFact } from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import { isResources, type Resources } from '../values/resources.ts';
import type { PriceRule } from './price-rule.ts';

/** A cluster's last known load, kept small: `[at, allocated + pending, capacity]` of cores, MiB. */
export interface ClusterLoad {
  readonly at: Instant;
  readonly wantedMillicores: number;
  readonly wantedMib: number;
  readonly millicores: number;
  readonly mib: number;
}

/** What a pool's load has come to; JSON, so that an epoch carries it over a restart. */
export interface LoadState {
  /** Smoothed share of capacity, pending included. */
  readonly load: number;
  /** Time of the last sample folded in; 0 before the first. */
  readonly at: Instant;
  readonly clusters: Readonly<Record<string, ClusterLoad>>;
}

export const NO_LOAD: LoadState = { load: 0, at: 0, clusters: {} };

/** A demand of twice the capacity says all there is to say: more would let one request jump the price. */
const SHARE_MAX = 2;

function clusterLoad({ at, allocated, pending, capacity }: LoadFact): ClusterLoad | undefined {
  const readable: readonly Resources[] = [allocated, pending, capacity];
  // Without capacity a manager is starting up, and its load says nothing.
  if (!readable.every(isResources) || capacity.millicores === 0) return undefined;
  return {
    at,
    wantedMillicores: allocated.millicores + pending.millicores,
    wantedMib: allocated.memoryMib + pending.memoryMib,
    millicores: capacity.millicores,
    mib: capacity.memoryMib,
  };
}

/** (allocated + pending) / capacity of the dominant resource over all clusters, clipped. */
export function poolShare(clusters: readonly ClusterLoad[]): number {
  const sum = (member: keyof ClusterLoad): number =>
    clusters.reduce((total, cluster) => total + cluster[member], 0);
  const share = (wanted: number, capacity: number): number =>
    capacity === 0 ? 0 : wanted / capacity;
  const dominant = Math.max(
    share(sum('wantedMillicores'), sum('millicores')),
    share(sum('wantedMib'), sum('mib')),
  );
  return Math.min(SHARE_MAX, dominant);
}

/**
 * Folds samples in. The weight of a sample grows with the time since the one before, so that the
 * rate of sampling changes nothing, up to `staleMs`: a gap is no evidence. Samples out of order are
 * passed over. Folding in two parts is folding at once.
 */
export function smoothLoad(
  before: LoadState,
  samples: readonly LoadFact[],
  rule: PriceRule,
): LoadState {
  let { load, at } = before;
  const clusters = new Map(Object.entries(before.clusters));
  const ordered = samples.toSorted(
    (a, b) => a.at - b.at || (a.cluster < b.cluster ? -1 : a.cluster > b.cluster ? 1 : 0),
  );
  for (const sample of ordered) {
    const known = clusterLoad(sample);
    if (known === undefined || sample.at <= (clusters.get(sample.cluster)?.at ?? 0)) continue;
    if (sample.at < at) continue;
    clusters.set(sample.cluster, known);
    for (const [name, other] of clusters) {
      if (sample.at - other.at > rule.lostMs) clusters.delete(name);
    }
    const share = poolShare([...clusters.values()]);
    const elapsed = Math.min(at === 0 ? rule.factorPeriodMs : sample.at - at, rule.staleMs);
    const factor = share > load ? rule.riseFactor : rule.fallFactor;
    load += (share - load) * (1 - (1 - factor) ** (elapsed / rule.factorPeriodMs));
    at = sample.at;
  }
  const names = [...clusters.keys()].sort();
  return {
    load,
    at,
    clusters: Object.fromEntries(names.map((name) => [name, clusters.get(name) as ClusterLoad])),
  };
}
