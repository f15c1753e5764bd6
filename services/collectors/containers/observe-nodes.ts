import type { ClusterSnapshot, SeenNode } from '../../../shared/clusters/cluster-reader.ts';
import type { NodeFact, Witness } from '../../../shared/contracts/container-fact.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { equalResources } from '../../../shared/values/resources.ts';
import type { KnownNode } from './cluster-state.ts';

export interface NodeObservation {
  readonly facts: readonly NodeFact[];
  readonly nodes: ReadonlyMap<string, KnownNode>;
  readonly changed: boolean;
}

/** Tags and market are snapshots of an interval, as its capacity is. */
function isSame(known: KnownNode, { capacity, market, instance, tags }: SeenNode): boolean {
  return (
    equalResources(known.capacity, capacity) &&
    known.market === market &&
    known.instance === instance &&
    canonicalTags(known.tags) === canonicalTags(tags)
  );
}

function canonicalTags(tags: SeenNode['tags']): string {
  return JSON.stringify(Object.entries(tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Nodes that came, went or changed. No manager tells when a node started, so its first sight is its
 * start, and its last sight its stop; another capacity or other tags are
 * another start.
 */
export function observeNodes(
  before: ReadonlyMap<string, KnownNode>,
  { nodes: seen, at }: Pick<ClusterSnapshot, 'nodes' | 'at'>,
  context: { readonly cluster: string; readonly witness: Witness; readonly goneAfterMs: number },
): NodeObservation {
  if (seen === undefined) return { facts: [], nodes: before, changed: false };
  const { cluster, witness } = context;
  const facts: NodeFact[] = [];
  const nodes = new Map(before);
  const fact = (kind: NodeFact['kind'], when: Instant, told: SeenNode): NodeFact => {
    const part = kind === 'node-started' ? 'started' : 'stopped';
    const id = `${cluster}/${witness}/node/${told.node}/${part}/${when}`;
    return { market: 'unknown', ...told, kind, id, cluster, witness, at: when };
  };
  for (const told of seen) {
    const known = before.get(told.node);
    if (known === undefined || !isSame(known, told)) facts.push(fact('node-started', at, told));
    const { node, ...what } = told;
    nodes.set(node, { ...what, lastSeen: at });
  }
  const names = new Set(seen.map(({ node }) => node));
  for (const [node, known] of before) {
    if (names.has(node)) continue;
    const absentSince = known.absentSince ?? at;
    if (at - absentSince < context.goneAfterMs) nodes.set(node, { ...known, absentSince });
    else {
      const { lastSeen, absentSince: _, ...what } = known;
      facts.push(fact('node-stopped', lastSeen, { node, ...what }));
      nodes.delete(node);
    }
  }
  return { facts, nodes, changed: facts.length > 0 };
}
