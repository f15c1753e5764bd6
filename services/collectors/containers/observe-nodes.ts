import type { ClusterSnapshot } from '../../../shared/clusters/cluster-reader.ts';
import type { NodeFact, Witness } from '../../../shared/contracts/container-fact.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { equalResources, type Resources } from '../../../shared/values/resources.ts';
import type { KnownNode } from './cluster-state.ts';

export interface NodeObservation {
  readonly facts: readonly NodeFact[];
  readonly nodes: ReadonlyMap<string, KnownNode>;
  readonly changed: boolean;
}

/**
 * Nodes that came, went or changed. No manager tells when a node started, so its first sight is its
 * start, and its last sight its stop; another capacity is another start.
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
  const fact = (
    kind: NodeFact['kind'],
    when: Instant,
    node: string,
    capacity: Resources,
  ): NodeFact => {
    const part = kind === 'node-started' ? 'started' : 'stopped';
    const id = `${cluster}/${witness}/node/${node}/${part}/${when}`;
    return { kind, id, cluster, witness, at: when, node, capacity, market: 'unknown' };
  };
  for (const { node, capacity } of seen) {
    const known = before.get(node);
    if (known === undefined || !equalResources(known.capacity, capacity)) {
      facts.push(fact('node-started', at, node, capacity));
    }
    nodes.set(node, { capacity, lastSeen: at });
  }
  const names = new Set(seen.map(({ node }) => node));
  for (const [node, known] of before) {
    if (names.has(node)) continue;
    const absentSince = known.absentSince ?? at;
    if (at - absentSince < context.goneAfterMs) nodes.set(node, { ...known, absentSince });
    else {
      facts.push(fact('node-stopped', known.lastSeen, node, known.capacity));
      nodes.delete(node);
    }
  }
  return { facts, nodes, changed: facts.length > 0 };
}
