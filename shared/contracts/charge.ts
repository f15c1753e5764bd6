import { HOUR_MS, type Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import { type Month, monthOf } from '../values/month.ts';
import type { PriceStep } from '../values/price-step.ts';
import type { ProjectId } from '../values/project-id.ts';

/** Exact amounts used; each is resource × milliseconds. */
export interface Quantity {
  readonly containerMs: bigint;
  readonly millicoreMs: bigint;
  readonly mibMs: bigint;
  readonly gpuMs: bigint;
}

export const NO_QUANTITY: Quantity = {
  containerMs: 0n,
  millicoreMs: 0n,
  mibMs: 0n,
  gpuMs: 0n,
};

export function addQuantity(a: Quantity, b: Quantity): Quantity {
  return {
    containerMs: a.containerMs + b.containerMs,
    millicoreMs: a.millicoreMs + b.millicoreMs,
    mibMs: a.mibMs + b.mibMs,
    gpuMs: a.gpuMs + b.gpuMs,
  };
}

/** The price in force over `[start, end)` of a pool. Immutable once recorded. */
export interface PriceEpoch {
  readonly id: string;
  readonly pool: string;
  readonly step: PriceStep;
  readonly start: Instant;
  /** Start of the next epoch, or undefined while none is announced. */
  readonly end: Instant | undefined;
  readonly ruleVersion: string;
  readonly reason: string;
  /** The rule's inputs and its smoothing state after them, as JSON. */
  readonly inputs: string;
}

/**
 * What was last thought about a pool's price. Of each pool one is kept, so that a restart or another
 * meter goes on exactly where this one stopped.
 */
export interface PriceEvaluation {
  readonly pool: string;
  readonly at: Instant;
  readonly ruleVersion: string;
  /** As an epoch's. */
  readonly inputs: string;
}

/** What one container used in one UTC hour at one price step: the unit of charging. */
export interface ChargeLine {
  readonly hour: Instant;
  readonly step: PriceStep;
  readonly quantity: Quantity;
  readonly amount: Nanocredits;
}

/**
 * `minimum`: what is missing to a container's minimum charge, at its close; its quantity is zero.
 */
export type ChargeKind = 'usage' | 'minimum';

export type ChargeType = 'ORIGINAL' | 'RETRACTION' | 'RESTATEMENT';

/** A row of the ledger. Rows are never edited: a correction retracts the old row and restates it. */
export interface Charge extends ChargeLine {
  /** Time-prefixed and unique for ever; derived from container, hour, step and revision. */
  readonly id: string;
  readonly type: ChargeType;
  readonly kind: ChargeKind;
  readonly project: ProjectId;
  readonly cluster: string;
  readonly application: string;
  readonly container: string;
  readonly role: string;
  readonly rateCard: string;
  readonly ruleVersion: string;
  /** How sure the interval's end is. */
  readonly coverage: 'exact' | 'inferred';
  /** Tags of the application when charged, as JSON. */
  readonly tags: string;
  readonly storedAt: Instant;
  /** The policy that gave it another price, such as `preempted 50`: see shared/rating/outcome; else ''. */
  readonly outcome?: string;
  /** Month of the books, where that of its hour was closed before; undefined: that of its hour. */
  readonly booked: Month | undefined;
}

/** The month in whose books a row stands. */
export function bookedMonth({ hour, booked }: Pick<Charge, 'hour' | 'booked'>): Month {
  return booked ?? monthOf(hour);
}

const HOUR_DIGITS = 5;
const REVISION_DIGITS = 3;

/** How ids of charges of this hour begin; those of later hours come after it. */
export function chargeIdHour(hour: Instant): string {
  return (hour / HOUR_MS).toString(36).padStart(HOUR_DIGITS, '0');
}

/**
 * Identity of a charge: hours since 1970 in base 36, then who, step and revision. The time comes
 * first, so that ids rise with it and new rows meet at one end of an index. A minimum has its name in
 * the place of the step.
 *
 * @param digest of cluster and container, of a fixed length and without dots
 */
export function chargeId(line: {
  readonly hour: Instant;
  readonly digest: string;
  readonly step: PriceStep;
  readonly revision: number;
  readonly kind?: ChargeKind;
}): string {
  const hour = chargeIdHour(line.hour);
  const revision = line.revision.toString(36).padStart(REVISION_DIGITS, '0');
  const step = line.kind === 'minimum' ? 'minimum' : line.step;
  return `${hour}.${line.digest}.${step}.${revision}`;
}

/** Number of rows before this one of the same container, hour, step and kind. */
export function chargeRevision(id: string): number {
  return Number.parseInt(id.slice(id.lastIndexOf('.') + 1), 36);
}
