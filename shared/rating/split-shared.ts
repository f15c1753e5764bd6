import type { Nanocredits } from '../values/money.ts';
import { splitWhole } from '../values/split-whole.ts';

/** Who pays for what nobody used: by task time, all alike, or the application's owner. */
export const UNUSED_METHODS = ['by-use', 'even', 'owner'] as const;
export type UnusedMethod = (typeof UNUSED_METHODS)[number];

/** The sharer of tasks that belong to nobody: the application itself, and so its owner. */
export const OWNER = '';

/** What one sharer of an application pays. */
export interface CostShare {
  /** Job group, user or session; OWNER for the rest. */
  readonly key: string;
  readonly taskMs: number;
  /** For executors while its tasks held their slots. */
  readonly worked: Nanocredits;
  /** Its part of idle slots, driver and application master. */
  readonly unused: Nanocredits;
}

export interface SharedCost {
  /** What all executors cost. */
  readonly executors: Nanocredits;
  /** What driver and application master cost. */
  readonly others: Nanocredits;
  /** Time of all executor slots; task time beyond it counts as weight all the same. */
  readonly slotMs: number;
  readonly taskMs: ReadonlyMap<string, number>;
}

const weightOf = (ms: number): bigint => BigInt(Math.max(0, Math.trunc(ms)));

function unusedWeights(
  keys: readonly string[],
  used: readonly bigint[],
  method: UnusedMethod,
): bigint[] {
  if (method === 'even') return keys.map((key) => (key === OWNER ? 0n : 1n));
  if (method === 'by-use') return [...used];
  return keys.map((key) => (key === OWNER ? 1n : 0n));
}

/**
 * Splits what an application cost over those who shared it. Executors are split by task time; what
 * is left of their slots, with the driver and the application master, is the unused rest and split
 * by the method: with `even` over all but the owner, and wherever nobody else is there, to the
 * owner. Both splits give the largest remainders, so that all shares add up to the whole. Dearest
 * first.
 */
export function splitShared(cost: SharedCost, method: UnusedMethod): CostShare[] {
  const keys = [OWNER, ...[...cost.taskMs.keys()].filter((key) => key !== OWNER).sort()];
  const used = keys.map((key) => weightOf(cost.taskMs.get(key) ?? 0));
  const busy = used.reduce((sum, ms) => sum + ms, 0n);
  const slots = weightOf(cost.slotMs);
  // The rest comes first: a whole without any weight goes there.
  const [rest = 0n, ...worked] = splitWhole(cost.executors, [
    slots > busy ? slots - busy : 0n,
    ...used,
  ]);
  // A whole without any weight goes to the first, who is the owner.
  const unused = splitWhole(rest + cost.others, unusedWeights(keys, used, method));
  return keys
    .map((key, index) => ({
      key,
      taskMs: cost.taskMs.get(key) ?? 0,
      worked: worked[index] ?? 0n,
      unused: unused[index] ?? 0n,
    }))
    .filter(({ key, taskMs, ...share }) => {
      return key !== OWNER || taskMs > 0 || share.worked + share.unused !== 0n;
    })
    .sort(byTotal);
}

function byTotal(a: CostShare, b: CostShare): number {
  const [first, second] = [a.worked + a.unused, b.worked + b.unused];
  if (first !== second) return first > second ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

/** Shares of several applications, one a key; dearest first. */
export function sumShares(shares: readonly CostShare[]): CostShare[] {
  const sums = new Map<string, CostShare>();
  for (const share of shares) {
    const { key } = share;
    const sum = sums.get(key) ?? { key, taskMs: 0, worked: 0n, unused: 0n };
    sums.set(key, {
      key,
      taskMs: sum.taskMs + share.taskMs,
      worked: sum.worked + share.worked,
      unused: sum.unused + share.unused,
    });
  }
  return [...sums.values()].sort(byTotal);
}
