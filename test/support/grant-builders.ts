import fc from 'fast-check';
import type { HourCharge } from '../../shared/grants/burn-down.ts';
import type { GivenGrant, GrantTerms } from '../../shared/grants/grant-terms.ts';
import { HOUR_MS, type Instant } from '../../shared/values/instant.ts';

/** Two hours before a new month, so that short histories meet its beginning. */
export const G0 = Date.UTC(2026, 10, 30, 22);

export const afterHours = (hours: number): Instant => G0 + hours * HOUR_MS;

export function someTerms(terms: Partial<GrantTerms> = {}): GrantTerms {
  return { priority: 0, validFrom: G0, expiresAt: undefined, monthly: undefined, ...terms };
}

export function aGivenGrant(
  id: string,
  amount: bigint,
  terms?: Partial<GrantTerms>,
  grantedAt = G0,
): GivenGrant {
  const given = { id, amount, grantedAt };
  return terms === undefined ? given : { ...given, terms: someTerms(terms) };
}

const hours = fc.integer({ min: 0, max: 9 });

const once = fc
  .record({
    amount: fc.bigInt({ min: 0n, max: 30n }),
    priority: fc.integer({ min: 0, max: 2 }),
    from: hours,
    lasts: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    given: hours,
  })
  .map(({ amount, priority, from, lasts, given }) => (id: string): GivenGrant => {
    const expiresAt = lasts === undefined ? undefined : afterHours(from + lasts);
    const terms = { priority, validFrom: afterHours(from), expiresAt };
    return aGivenGrant(id, amount, terms, afterHours(given));
  });

const monthly = fc
  .record({
    amount: fc.bigInt({ min: 1n, max: 20n }),
    priority: fc.integer({ min: 0, max: 2 }),
    min: fc.bigInt({ min: 0n, max: 5n }),
    more: fc.bigInt({ min: 0n, max: 10n }),
    ends: fc.boolean(),
  })
  .map(({ amount, priority, min, more, ends }) => (id: string): GivenGrant => {
    const validFrom = Date.UTC(2026, 10, 1);
    const expiresAt = ends ? Date.UTC(2026, 11, 1) : undefined;
    const terms = { priority, validFrom, expiresAt, monthly: { min, max: min + more } };
    return aGivenGrant(id, amount, terms, validFrom);
  });

const takenBack = fc.record({ amount: fc.bigInt({ min: 1n, max: 20n }), from: hours }).map(
  ({ amount, from }) =>
    (id: string): GivenGrant =>
      aGivenGrant(id, -amount, { validFrom: afterHours(from) }),
);

/** Grants of every kind around a month's end. */
export const anyGrants: fc.Arbitrary<GivenGrant[]> = fc
  .array(fc.oneof({ weight: 4, arbitrary: once }, monthly, takenBack), { maxLength: 6 })
  .map((makers) => makers.map((make, n) => make(`g${n}`)));

/** Charges and their corrections as they come: several of an hour, some of which take back. */
export const anyCharges: fc.Arbitrary<HourCharge[]> = fc
  .array(fc.record({ hour: hours, amount: fc.bigInt({ min: -10n, max: 25n }) }), { maxLength: 20 })
  .map((charges) => charges.map(({ hour, amount }) => ({ hour: afterHours(hour), amount })));
