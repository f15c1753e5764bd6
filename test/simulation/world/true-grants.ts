import { HOUR_MS, type Instant } from '../../../shared/values/instant.ts';

/** A grant as it was given, in plain words. */
export interface TrueGrant {
  readonly id: string;
  readonly amount: bigint;
  readonly priority: number;
  readonly givenAt: Instant;
  readonly from: Instant;
  readonly until: Instant;
  /** Least and most of what a month leaves that goes into the next one. */
  readonly monthly: { readonly min: bigint; readonly max: bigint } | undefined;
}

export interface TrueCredits {
  /** What has begun, less what has expired. */
  readonly granted: bigint;
  /** Of what has begun and what has ended: rolled over into a piece, and expired of it. */
  readonly pieces: ReadonlyMap<string, { readonly rolledIn: bigint; readonly expired: bigint }>;
}

interface Lot {
  readonly id: string;
  readonly grant: TrueGrant;
  readonly from: Instant;
  readonly until: Instant;
  readonly createdAt: Instant;
  left: bigint;
  rolledIn: bigint;
  expired: bigint;
  state: 'coming' | 'valid' | 'over';
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function nextMonth(at: Instant): Instant {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

function lotsOf(grant: TrueGrant, now: Instant): Lot[] {
  const fresh = { grant, left: grant.amount, rolledIn: 0n, expired: 0n, state: 'coming' as const };
  const { id, from, until, monthly, givenAt: createdAt } = grant;
  if (monthly === undefined) return [{ ...fresh, id, from, until, createdAt }];
  const lots: Lot[] = [];
  for (let month = from; month <= now && month < until; month = nextMonth(month)) {
    const name = `${id}/${new Date(month).toISOString().slice(0, 7)}`;
    lots.push({ ...fresh, id: name, from: month, until: nextMonth(month), createdAt: month });
  }
  return lots;
}

/** Who pays first: priority, then what ends first, then what was given first. */
function before(a: Lot, b: Lot): number {
  const keys = (lot: Lot) => [lot.grant.priority, lot.until, lot.createdAt] as const;
  const [left, right] = [keys(a), keys(b)];
  for (const [index, key] of left.entries()) {
    const other = right[index] ?? 0;
    if (key !== other) return key < other ? -1 : 1;
  }
  return a.id < b.id ? -1 : 1;
}

/**
 * What is granted at `now`: an oracle that shares no code with what keeps grants. It walks from hour
 * to hour over lots of credits: what ends expires or rolls over, what begins pays debts, then the
 * hour's charge is paid.
 *
 * @param charged net, by the start of the UTC hour
 */
export function trueCredits(
  grants: readonly TrueGrant[],
  charged: ReadonlyMap<Instant, bigint>,
  now: Instant,
): TrueCredits {
  const lots = grants.flatMap((grant) => lotsOf(grant, now)).sort(before);
  const hours = new Set([...charged.keys(), ...lots.flatMap(({ from, until }) => [from, until])]);
  let [granted, debt] = [0n, 0n];
  for (const hour of [...hours].filter((at) => at <= now).sort((a, b) => a - b)) {
    const carried = new Map<string, bigint>();
    for (const lot of lots.filter(({ state, until }) => state === 'valid' && until <= hour)) {
      lot.state = 'over';
      lot.expired = lot.left;
      lot.left = 0n;
      granted -= lot.expired;
      const { monthly, id } = lot.grant;
      if (monthly === undefined) continue;
      const least = larger(lot.expired, monthly.min);
      carried.set(id, smaller(least, monthly.max));
    }
    for (const lot of lots.filter(({ state, from }) => state === 'coming' && from <= hour)) {
      lot.rolledIn = carried.get(lot.grant.id) ?? 0n;
      lot.left += lot.rolledIn;
      granted += lot.left;
      lot.state = lot.left < 0n ? 'over' : 'valid';
      if (lot.left < 0n) [debt, lot.left] = [debt - lot.left, 0n];
    }
    for (const due of [0n, charged.get(hour) ?? 0n]) {
      debt += due;
      for (const lot of lots.filter(({ state }) => state === 'valid')) {
        const paid = smaller(debt, lot.left);
        if (paid <= 0n) continue;
        lot.left -= paid;
        debt -= paid;
      }
    }
  }
  const begun = lots.filter(({ state }) => state !== 'coming');
  return {
    granted,
    pieces: new Map(begun.map(({ id, rolledIn, expired }) => [id, { rolledIn, expired }])),
  };
}

/** The start of the UTC hour that an instant is in. */
export function hourOf(at: Instant): Instant {
  return Math.floor(at / HOUR_MS) * HOUR_MS;
}
