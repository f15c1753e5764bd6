import type { LoadFact } from '../contracts/container-fact.ts';
import { isResources, NO_RESOURCES, type Resources } from '../values/resources.ts';
import type { PriceRule } from './price-rule.ts';

/** Waiting demand that counts, by project; '' is what the manager doesn't tell the owner of. */
export type CountedPending = Readonly<Record<string, Resources>>;

export const RESOURCE_KINDS = ['millicores', 'memoryMib', 'gpus'] as const;

const NOBODY = '';

/** Of each resource; may be a fraction, since demand counts in part while it ages. */
export function mapResources(each: (kind: (typeof RESOURCE_KINDS)[number]) => number): Resources {
  return { millicores: each('millicores'), memoryMib: each('memoryMib'), gpus: each('gpus') };
}

/** All of `pending` by owner: what is told, and the rest, which is nobody's. */
function demands({ pending, pendingBy = [] }: LoadFact): Map<string, Resources> {
  const owned = new Map<string, Resources>();
  let rest = pending;
  for (const { project, resources } of pendingBy) {
    if (!isResources(resources)) continue;
    const before = owned.get(project) ?? NO_RESOURCES;
    owned.set(
      project,
      mapResources((kind) => before[kind] + resources[kind]),
    );
    rest = mapResources((kind) => Math.max(0, rest[kind] - resources[kind]));
  }
  owned.set(NOBODY, rest);
  return owned;
}

/**
 * What of a cluster's waiting demand counts. Each owner's is cut at `pendingCap` of the capacity and
 * grows to that over `pendingAgeMs`, so that a request that is soon withdrawn, however large, hardly
 * moves a price; it stops to count at once when it is gone. Demand without an owner is one owner's,
 * or not saying who waits would be the way around the cap.
 * Source: Schröder et al., arXiv 2003.07736 (demand that is faked to move a surge price).
 *
 * @param before what counted `elapsedMs` ago
 */
export function countPending(
  fact: LoadFact,
  before: CountedPending,
  { capacity, elapsedMs }: { readonly capacity: Resources; readonly elapsedMs: number },
  rule: PriceRule,
): CountedPending {
  const aged = Math.min(1, elapsedMs / rule.pendingAgeMs);
  const counted: Record<string, Resources> = {};
  const owners = [...demands(fact)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [owner, wanted] of owners) {
    const had = before[owner] ?? NO_RESOURCES;
    const counts = mapResources((kind) => {
      const most = Math.min(wanted[kind], rule.pendingCap * capacity[kind]);
      return Math.min(most, had[kind] + most * aged);
    });
    if (RESOURCE_KINDS.some((kind) => counts[kind] > 0)) counted[owner] = counts;
  }
  return counted;
}
