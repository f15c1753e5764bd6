import type { z } from 'zod';
import type { restGrant, restGrants } from '../../shared/contracts/rest-grants.ts';
import { type BurnDown, burnDown, type PieceBurn } from '../../shared/grants/burn-down.ts';
import { termsOf } from '../../shared/grants/grant-terms.ts';
import type { Grant, GrantBook } from '../../shared/stores/grant-store.ts';
import { formatInstant, type Instant } from '../../shared/values/instant.ts';
import { formatCredits } from '../../shared/values/money.ts';

/** A budget of years and a busy history stay one small answer. */
const MONTHS_SHOWN = 24;
const SEGMENTS_SHOWN = 200;

function burntOf(pieces: readonly PieceBurn[]) {
  const sum = (of: (one: PieceBurn) => bigint): string =>
    formatCredits(pieces.reduce((total, one) => total + of(one), 0n));
  return {
    granted: sum(({ granted }) => granted),
    used: sum(({ used }) => used),
    left: sum(({ left }) => left),
    expired: sum(({ expired }) => expired),
  };
}

function toRestGrant(grant: Grant, { pieces }: BurnDown): z.infer<typeof restGrant> {
  const { priority, validFrom, expiresAt, monthly } = termsOf(grant);
  const own = pieces.filter(({ piece }) => piece.grant === grant.id);
  const months = monthly === undefined ? [] : own.slice(-MONTHS_SHOWN);
  return {
    id: grant.id,
    project: grant.project,
    credits: formatCredits(grant.amount),
    reason: grant.reason,
    grantedAt: formatInstant(grant.grantedAt),
    priority,
    validFrom: formatInstant(validFrom),
    expiresAt: expiresAt === undefined ? null : formatInstant(expiresAt),
    monthly:
      monthly === undefined
        ? null
        : { minRollover: formatCredits(monthly.min), maxRollover: formatCredits(monthly.max) },
    ...burntOf(own),
    months: months.map((one) => ({
      month: formatInstant(one.piece.from).slice(0, 7),
      rolledIn: formatCredits(one.rolledIn),
      ...burntOf([one]),
    })),
  };
}

/** Every grant with what became of it, and which of them paid when. */
export function toRestGrants(book: GrantBook, now: Instant): z.infer<typeof restGrants> {
  const burn = burnDown(book.grants, book.charges, now);
  return {
    grants: book.grants.map((grant) => toRestGrant(grant, burn)),
    debt: formatCredits(burn.debt),
    segments: burn.segments.slice(-SEGMENTS_SHOWN).map(({ from, until, burns, debt }) => ({
      from: formatInstant(from),
      until: formatInstant(until),
      burns: burns.map(({ piece, amount }) => ({ grant: piece, credits: formatCredits(amount) })),
      debt: formatCredits(debt),
    })),
  };
}
