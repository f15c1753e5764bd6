import { type Instant, utcHour } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import { utcMonth } from '../values/utc-month.ts';

/** How much of what a month leaves goes into the next one: min(max, max(left, min)). */
export interface Rollover {
  readonly min: Nanocredits;
  readonly max: Nanocredits;
}

export interface GrantTerms {
  /** Low burns first. */
  readonly priority: number;
  /** Whole UTC hour; of a monthly grant the start of its first month. */
  readonly validFrom: Instant;
  /** Whole UTC hour from which it is worth nothing; of a monthly grant the start of the month that it gives no more. */
  readonly expiresAt: Instant | undefined;
  /** Gives its amount each UTC month, for that month. Undefined: gives once. */
  readonly monthly: Rollover | undefined;
}

/** A grant as it was given; without terms it holds from the hour it was given in, for ever. */
export interface GivenGrant {
  readonly id: string;
  readonly amount: Nanocredits;
  readonly grantedAt: Instant;
  readonly terms?: GrantTerms;
}

export function termsOf({ terms, grantedAt }: Omit<GivenGrant, 'id' | 'amount'>): GrantTerms {
  return (
    terms ?? {
      priority: 0,
      validFrom: utcHour(grantedAt),
      expiresAt: undefined,
      monthly: undefined,
    }
  );
}

/** What is given at one instant: a grant, or one month of a monthly grant. */
export interface GrantPiece {
  /** The grant's id; of a month with `/2026-12` after it, the same whoever computes it. */
  readonly id: string;
  readonly grant: string;
  readonly amount: Nanocredits;
  readonly priority: number;
  readonly from: Instant;
  readonly until: Instant | undefined;
  readonly createdAt: Instant;
  /** Into which the month rolls over, with what of it. */
  readonly next: { readonly id: string; readonly rollover: Rollover } | undefined;
}

function monthId(grant: string, month: Instant): string {
  return `${grant}/${new Date(month).toISOString().slice(0, 7)}`;
}

function monthPieces(grant: GivenGrant, rollover: Rollover, until: Instant): GrantPiece[] {
  const { priority, validFrom, expiresAt = Number.POSITIVE_INFINITY } = termsOf(grant);
  const pieces: GrantPiece[] = [];
  for (let from = validFrom; from <= until && from < expiresAt; from = utcMonth(from, 1)) {
    const next = utcMonth(from, 1);
    pieces.push({
      id: monthId(grant.id, from),
      grant: grant.id,
      amount: grant.amount,
      priority,
      from,
      until: next,
      createdAt: from,
      next: next < expiresAt ? { id: monthId(grant.id, next), rollover } : undefined,
    });
  }
  return pieces;
}

/** What grants give up to and at `until`. */
export function grantPieces(grants: readonly GivenGrant[], until: Instant): GrantPiece[] {
  return grants.flatMap((grant) => {
    const { priority, validFrom, expiresAt, monthly } = termsOf(grant);
    if (monthly !== undefined) return monthPieces(grant, monthly, until);
    if (validFrom > until) return [];
    return {
      id: grant.id,
      grant: grant.id,
      amount: grant.amount,
      priority,
      from: validFrom,
      until: expiresAt,
      createdAt: grant.grantedAt,
      next: undefined,
    };
  });
}
