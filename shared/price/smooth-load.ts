import type { LoadFact } from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import { isResources, NO_RESOURCES, type Resources } from '../values/resources.ts';
import {
  type CountedPending,
  countPending,
  mapResources,
  RESOURCE_KINDS,
} from './count-pending.ts';
import type { PriceRule } from './price-rule.ts';

/** What of a cluster's last known load the price goes by. */
export interface ClusterLoad {
  readonly at: Instant;
  readonly allocated: Resources;
  /** Aged and capped. */
  readonly pending: CountedPending;
  /** With what an autoscaler may still add. */
  readonly capacity: Resources;
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

/** Undefined for a load that says nothing: unknown numbers, or a manager that is starting up. */
function clusterLoad(
  fact: LoadFact,
  before: ClusterLoad | undefined,
  rule: PriceRule,
): ClusterLoad | undefined {
  const { at, allocated, pending, cluster } = fact;
  const told = fact.capacityMax ?? NO_RESOURCES;
  if (![allocated, pending, fact.capacity, told].every(isResources)) return undefined;
  const configured = rule.capacityMax[cluster] ?? NO_RESOURCES;
  const capacity = mapResources((kind) =>
    Math.max(fact.capacity[kind], told[kind], configured[kind]),
  );
  if (capacity.millicores === 0) return undefined;
  const elapsedMs =
    before === undefined ? rule.factorPeriodMs : Math.min(at - before.at, rule.staleMs);
  const counted = countPending(fact, before?.pending ?? {}, { capacity, elapsedMs }, rule);
  return { at, allocated, pending: counted, capacity };
}

/** Sums over clusters: allocated, pending that counts, capacity. */
export function poolSums(clusters: readonly ClusterLoad[]) {
  const sum = (parts: readonly Resources[]): Resources =>
    mapResources((kind) => parts.reduce((total, part) => total + part[kind], 0));
  return {
    allocated: sum(clusters.map(({ allocated }) => allocated)),
    pending: sum(clusters.flatMap(({ pending }) => Object.values(pending))),
    capacity: sum(clusters.map(({ capacity }) => capacity)),
  };
}

/** (allocated + pending) / capacity of the resource in shortest supply over all clusters, clipped. */
export function poolShare(clusters: readonly ClusterLoad[]): number {
  const { allocated, pending, capacity } = poolSums(clusters);
  const shares = RESOURCE_KINDS.map((kind) =>
    capacity[kind] === 0 ? 0 : (allocated[kind] + pending[kind]) / capacity[kind],
  );
  return Math.min(SHARE_MAX, Math.max(...shares));
}

/** Whether load can raise a price: every cluster that counts was heard of in the last `staleMs`. */
export function isFresh(clusters: Iterable<ClusterLoad>, at: Instant, rule: PriceRule): boolean {
  const known = [...clusters];
  return known.length > 0 && known.every((one) => at - one.at <= rule.staleMs);
}

/**
 * Folds samples in. The weight of a sample grows with the time since the one before, so that the
 * rate of sampling changes nothing, up to `staleMs`: a gap is no evidence. Load doesn't rise while a
 * cluster is silent, whose share would be an old one, until it is left out after `lostMs`. Samples
 * out of order are passed over. Folding in two parts is folding at once.
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
    const last = clusters.get(sample.cluster);
    if (sample.at < at || sample.at <= (last?.at ?? 0)) continue;
    const known = clusterLoad(sample, last, rule);
    if (known === undefined) continue;
    clusters.set(sample.cluster, known);
    const silent = [...clusters].filter(([, other]) => sample.at - other.at > rule.lostMs);
    for (const [name] of silent) clusters.delete(name);
    const share = poolShare([...clusters.values()]);
    // What load had come to with clusters that are lost must not lift the price.
    if (at !== 0 && sample.at - at >= rule.lostMs) load = Math.min(load, rule.knee);
    else if (silent.length > 0) load = Math.min(load, Math.max(rule.knee, share));
    const elapsed = Math.min(at === 0 ? rule.factorPeriodMs : sample.at - at, rule.staleMs);
    const rises = share > load;
    at = sample.at;
    if (rises && !isFresh(clusters.values(), at, rule)) continue;
    const factor = rises ? rule.riseFactor : rule.fallFactor;
    load += (share - load) * (1 - (1 - factor) ** (elapsed / rule.factorPeriodMs));
  }
  const names = [...clusters.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return { load, at, clusters: Object.fromEntries(names) };
}
