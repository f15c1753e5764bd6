import type { NodeFact, Witness } from '../contracts/container-fact.ts';
import type { ResourceInterval } from '../rating/rate-interval.ts';
import type { Instant } from '../values/instant.ts';
import { DEFAULT_TRUST, mostTrusted } from './witness-trust.ts';

/** A machine's span with one capacity. */
export interface NodeInterval extends ResourceInterval {
  readonly node: string;
  readonly market: NodeFact['market'];
  readonly instance: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * When the nodes of a cluster were there, and how large. Of each node the most trusted witness that
 * told of it is believed. A start while it is up is another capacity from then on; a stop without a
 * start says nothing; one that is up was there until its cluster was last heard of. A pure function
 * of the set of facts.
 *
 * @param knownUntil nothing is claimed beyond it
 */
export function nodeIntervals(
  facts: readonly NodeFact[],
  knownUntil: Instant,
  trust: readonly Witness[] = DEFAULT_TRUST,
): NodeInterval[] {
  const once = [...new Map(facts.map((fact) => [fact.id, fact])).values()];
  return [...Map.groupBy(once, ({ node }) => node)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, told]) => intervalsOf(mostTrusted(told, trust), knownUntil));
}

/** @param facts of one node and one witness */
function intervalsOf(facts: readonly NodeFact[], knownUntil: Instant): NodeInterval[] {
  const intervals: NodeInterval[] = [];
  let up: NodeFact | undefined;
  const close = (end: Instant): void => {
    if (up === undefined || Math.min(end, knownUntil) <= up.at) return;
    intervals.push({
      node: up.node,
      market: up.market,
      instance: up.instance ?? '',
      tags: up.tags ?? {},
      start: up.at,
      end: Math.min(end, knownUntil),
      resources: up.capacity,
    });
  };
  for (const fact of facts.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))) {
    close(fact.at);
    up = fact.kind === 'node-started' ? fact : undefined;
  }
  close(knownUntil);
  return intervals;
}
