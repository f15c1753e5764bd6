import { nodeIntervals } from '../../shared/intervals/node-life.ts';
import { clusterIdle, type IdleHour } from '../../shared/rating/cluster-idle.ts';
import type { ClusterUse } from '../../shared/stores/cluster-use-reader.ts';
import type { Instant } from '../../shared/values/instant.ts';
import type { ApiDeps } from './api-deps.ts';

interface ClusterIdle {
  readonly hours: readonly IdleHour[];
  readonly uses: readonly ClusterUse[];
  /** Undefined where nobody watches the cluster's nodes. */
  readonly heardUntil: Instant | undefined;
  readonly knownUntil: Instant;
}

/** What of a cluster's nodes no container held. @param window whole UTC hours */
export async function idleHours(
  deps: Pick<ApiDeps, 'journal' | 'ledger' | 'clock'>,
  cluster: string,
  { from, until }: { readonly from: Instant; readonly until: Instant },
): Promise<ClusterIdle> {
  const now = deps.clock.now();
  const { facts, heardUntil } = await deps.journal.nodeFacts(cluster, until);
  const knownUntil = Math.min(heardUntil ?? now, now);
  const uses = await deps.ledger.clusterUse(cluster, { from, until });
  const hours = clusterIdle(nodeIntervals(facts, knownUntil), uses, { start: from, end: until });
  return { hours, uses, heardUntil, knownUntil };
}
