import { addQuantity, NO_QUANTITY, type Quantity } from '../contracts/charge.ts';
import { HOUR_MS, type Instant, utcHour } from '../values/instant.ts';
import { cutAtUtcHours, type Interval, intersect } from '../values/interval.ts';
import { quantityOf, type ResourceInterval } from './rate-interval.ts';

/** What a cluster had, gave away and kept idle in one UTC hour, in resource × ms. */
export interface IdleHour {
  readonly hour: Instant;
  readonly nodes: Quantity;
  readonly containers: Quantity;
  /** The part of `containers` that no project could be charged for. */
  readonly unallocated: Quantity;
  /** nodes − containers, exactly; negative where more was granted than there was. */
  readonly idle: Quantity;
}

/** What containers held in one UTC hour. */
export interface UsedHour {
  readonly hour: Instant;
  readonly quantity: Quantity;
  readonly unallocated: Quantity;
}

function without(a: Quantity, b: Quantity): Quantity {
  return {
    containerMs: 0n,
    millicoreMs: a.millicoreMs - b.millicoreMs,
    mibMs: a.mibMs - b.mibMs,
    gpuMs: a.gpuMs - b.gpuMs,
  };
}

/**
 * Nodes − containers, hour by hour. Σ idle + Σ containers = Σ nodes, to the unit: nothing is rounded
 * and nothing cut off at zero.
 *
 * @param nodes intervals of nodes, no two of one node overlapping
 * @param window whole UTC hours
 */
export function clusterIdle(
  nodes: readonly ResourceInterval[],
  used: readonly UsedHour[],
  window: Interval,
): IdleHour[] {
  const had = new Map<Instant, Quantity>();
  for (const node of nodes) {
    const inside = intersect(node, window);
    for (const piece of inside === undefined ? [] : cutAtUtcHours(inside)) {
      const hour = utcHour(piece.start);
      const quantity = quantityOf({ ...piece, resources: node.resources });
      had.set(hour, addQuantity(had.get(hour) ?? NO_QUANTITY, quantity));
    }
  }
  const held = new Map(used.map((use) => [use.hour, use]));
  const hours: IdleHour[] = [];
  for (let hour = window.start; hour < window.end; hour += HOUR_MS) {
    const has = had.get(hour) ?? NO_QUANTITY;
    const { quantity: containers = NO_QUANTITY, unallocated = NO_QUANTITY } = held.get(hour) ?? {};
    hours.push({ hour, nodes: has, containers, unallocated, idle: without(has, containers) });
  }
  return hours;
}
