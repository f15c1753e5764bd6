import { createHash } from 'node:crypto';
import type { Charge, ChargeType, Quantity } from '../../../shared/contracts/charge.ts';
import { chargeId } from '../../../shared/contracts/charge.ts';
import type { LifeLine } from '../../../shared/rating/rate-life.ts';
import type { NetCharge } from '../../../shared/stores/ledger-writer.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { type Month, monthOf } from '../../../shared/values/month.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** Which arithmetic made a charge; a changed one has another name. */
export const RATING_RULE_VERSION = 'rating-1';

/** What every charge of a container says. */
export interface Payer {
  readonly cluster: string;
  readonly container: string;
  readonly application: string;
  readonly project: ProjectId;
  readonly role: string;
  /** Canonical JSON. */
  readonly tags: string;
  /** The policy that prices it, as printOutcome says; not there at the full price. */
  readonly outcome?: string;
}

/** 96 bits of SHA-256, of a fixed length and without dots. */
function digestOf({ cluster, container }: Payer): string {
  return createHash('sha256').update(`${cluster}\n${container}`).digest('base64url').slice(0, 16);
}

function negated(quantity: Quantity): Quantity {
  return {
    containerMs: -quantity.containerMs,
    millicoreMs: -quantity.millicoreMs,
    mibMs: -quantity.mibMs,
    gpuMs: -quantity.gpuMs,
  };
}

function isInForce({ charge }: NetCharge): boolean {
  return charge.type !== 'RETRACTION';
}

/** The same to whoever pays: what, how much, to whom and how sure. When it was stored isn't in it. */
function stands(row: Charge, line: LifeLine, payer: Payer): boolean {
  return (
    row.amount === line.amount &&
    row.quantity.containerMs === line.quantity.containerMs &&
    row.quantity.millicoreMs === line.quantity.millicoreMs &&
    row.quantity.mibMs === line.quantity.mibMs &&
    row.quantity.gpuMs === line.quantity.gpuMs &&
    row.project === payer.project &&
    row.application === payer.application &&
    row.role === payer.role &&
    row.tags === payer.tags &&
    row.rateCard === line.rateCard &&
    row.outcome === payer.outcome &&
    row.coverage === line.coverage
  );
}

const keyOf = ({ hour, step, kind }: Pick<LifeLine, 'hour' | 'step' | 'kind'>): string =>
  `${hour}/${step}/${kind}`;

/** When rows are stored, and in which books. */
export interface Booking {
  readonly storedAt: Instant;
  /** End of the last closed month: what belongs before it is booked in the month that begins there. */
  readonly closedUntil: Instant | undefined;
}

/**
 * The rows that bring one container's charges from what is in force to what is desired: ORIGINAL
 * where there was none, RETRACTION of the old and RESTATEMENT of the new where they differ. Whatever
 * comes after its month was closed is booked in the next one, as a correction. Ids follow from the
 * rows before, so that planning twice gives the same rows.
 */
export function planCharges(
  payer: Payer,
  desired: readonly LifeLine[],
  net: readonly NetCharge[],
  { storedAt, closedUntil }: Booking,
): Charge[] {
  const digest = digestOf(payer);
  const nets = new Map(net.map((entry) => [keyOf(entry.charge), entry]));
  const wanted = new Set(desired.map(keyOf));
  const charges: Charge[] = [];
  const bookedIn = (hour: Instant): Month | undefined =>
    closedUntil !== undefined && hour < closedUntil ? monthOf(closedUntil) : undefined;
  const retract = ({ charge, revision }: NetCharge): void => {
    charges.push({
      ...charge,
      id: chargeId({ ...charge, digest, revision }),
      type: 'RETRACTION',
      quantity: negated(charge.quantity),
      amount: -charge.amount,
      storedAt,
      booked: bookedIn(charge.hour),
    });
  };
  for (const entry of net) {
    if (isInForce(entry) && !wanted.has(keyOf(entry.charge))) retract(entry);
  }
  for (const line of desired) {
    const entry = nets.get(keyOf(line));
    const inForce = entry !== undefined && isInForce(entry);
    if (inForce && stands(entry.charge, line, payer)) continue;
    if (inForce) retract(entry);
    const booked = bookedIn(line.hour);
    const isNew = entry === undefined && booked === undefined;
    const type: ChargeType = isNew ? 'ORIGINAL' : 'RESTATEMENT';
    const revision = (entry?.revision ?? 0) + (inForce ? 1 : 0);
    charges.push({
      ...line,
      ...payer,
      id: chargeId({ ...line, digest, revision }),
      type,
      ruleVersion: RATING_RULE_VERSION,
      storedAt,
      booked,
    });
  }
  return charges;
}
