import type { ApplicationActivity } from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import { BASE_STEP } from '../values/price-step.ts';
import type { RateCard } from '../values/rate-card.ts';
import { splitWhole } from '../values/split-whole.ts';
import type { IdleHour } from './cluster-idle.ts';
import { rateQuantity } from './rate-interval.ts';

/** Where an application's credits went. Executors by their slot time, other containers by role. */
export const SPENDING_PARTS = [
  'useful',
  'wasted',
  'idle',
  'tail',
  'startUp',
  'driver',
  'applicationMaster',
  'untold',
] as const;
export type SpendingPart = (typeof SPENDING_PARTS)[number];

/** The parts add up to what was charged, to the nanocredit. */
export type SpendingParts = Readonly<Record<SpendingPart, Nanocredits>>;

/** The five parts of executors' slot time, in ms of one slot. */
export type SlotParts = Pick<
  ApplicationActivity,
  'usefulMs' | 'wastedMs' | 'idleMs' | 'tailMs' | 'startUpMs'
>;

export interface RoleAmount {
  /** A container's role, as its charges name it. */
  readonly role: string;
  /** Net of corrections; negative where a window holds nothing but a correction. */
  readonly amount: Nanocredits;
}

export const NO_SPENDING: SpendingParts = {
  useful: 0n,
  wasted: 0n,
  idle: 0n,
  tail: 0n,
  startUp: 0n,
  driver: 0n,
  applicationMaster: 0n,
  untold: 0n,
};

export function addSpending(a: SpendingParts, b: SpendingParts): SpendingParts {
  const sum = { ...a };
  for (const part of SPENDING_PARTS) sum[part] += b[part];
  return sum;
}

export function totalSpending(parts: SpendingParts): Nanocredits {
  return SPENDING_PARTS.reduce((sum, part) => sum + parts[part], 0n);
}

/** Slot times as weights; undefined where nobody told any. */
function slotWeights(slots: SlotParts | undefined): bigint[] | undefined {
  if (slots === undefined) return undefined;
  const { usefulMs, wastedMs, idleMs, tailMs, startUpMs } = slots;
  const weights = [usefulMs, wastedMs, idleMs, tailMs, startUpMs].map((ms) =>
    BigInt(Math.max(0, Math.trunc(ms))),
  );
  return weights.every((weight) => weight === 0n) ? undefined : weights;
}

/**
 * Splits what an application was charged: executors' charges by the slot time of the whole
 * application so far (largest remainder), since slot time has no history; the driver and the
 * application master are parts of their own. Executors whose slot time no witness told, and roles
 * that are none of the three, are `untold`.
 */
export function whereItWent(
  amounts: readonly RoleAmount[],
  slots: SlotParts | undefined,
): SpendingParts {
  const sum = { ...NO_SPENDING };
  const weights = slotWeights(slots);
  for (const { role, amount } of amounts) {
    if (role === 'driver') sum.driver += amount;
    else if (role === 'application-master') sum.applicationMaster += amount;
    else if (role !== 'executor' || weights === undefined) sum.untold += amount;
    else {
      const [useful = 0n, wasted = 0n, idle = 0n, tail = 0n, startUp = 0n] = splitWhole(
        amount,
        weights,
      );
      sum.useful += useful;
      sum.wasted += wasted;
      sum.idle += idle;
      sum.tail += tail;
      sum.startUp += startUp;
    }
  }
  return sum;
}

/**
 * What idle capacity would have cost at the base price of its hour. No project is charged for it; it
 * stands beside what projects were charged, so that the two add up to what the cluster was for.
 */
export function idleAmount(
  hours: readonly Pick<IdleHour, 'hour' | 'idle'>[],
  cardAt: (hour: Instant) => RateCard,
): Nanocredits {
  return hours.reduce((sum, { hour, idle }) => {
    return sum + rateQuantity(idle, BASE_STEP, cardAt(hour));
  }, 0n);
}
