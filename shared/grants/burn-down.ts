import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import { type GivenGrant, type GrantPiece, grantPieces } from './grant-terms.ts';

/** What a project was charged in one UTC hour, corrections included. */
export interface HourCharge {
  readonly hour: Instant;
  readonly amount: Nanocredits;
}

/** used + left + expired = granted. */
export interface PieceBurn {
  readonly piece: GrantPiece;
  /** Its amount and what it took over from the month before. */
  readonly granted: Nanocredits;
  readonly rolledIn: Nanocredits;
  /** By charges, by debts of before and by credits taken back. */
  readonly used: Nanocredits;
  readonly left: Nanocredits;
  readonly expired: Nanocredits;
}

/** A span in which the same pieces pay. */
export interface BurnSegment {
  readonly from: Instant;
  readonly until: Instant;
  /** What each piece paid, in burn order. */
  readonly burns: readonly { readonly piece: string; readonly amount: Nanocredits }[];
  /** What no grant paid; negative when earlier debts were paid. */
  readonly debt: Nanocredits;
}

export interface BurnDown {
  /** In the order of their beginning. */
  readonly pieces: readonly PieceBurn[];
  readonly segments: readonly BurnSegment[];
  /** Charged without a grant to pay for it; the next that becomes valid pays it first. */
  readonly debt: Nanocredits;
  /** Credits in force: given by now, less what has expired. */
  readonly granted: Nanocredits;
  /** What is left of valid grants, less debts. */
  readonly balance: Nanocredits;
}

interface OpenPiece {
  readonly piece: GrantPiece;
  readonly granted: Nanocredits;
  readonly rolledIn: Nanocredits;
  used: Nanocredits;
  left: Nanocredits;
  expired: Nanocredits;
}

interface OpenSegment {
  readonly from: Instant;
  readonly burns: Map<string, Nanocredits>;
  debt: Nanocredits;
}

const at = (instant: Instant | undefined): number => instant ?? Number.POSITIVE_INFINITY;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const numbers = (a: number, b: number): number => (a === b ? 0 : a - b);

/** Priority, low first; then who expires first; then who was given first. */
function burnOrder(a: GrantPiece, b: GrantPiece): number {
  return (
    numbers(a.priority, b.priority) ||
    numbers(at(a.until), at(b.until)) ||
    numbers(a.createdAt, b.createdAt) ||
    byText(a.id, b.id)
  );
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/**
 * Plays grants and charges in the order of time. At one instant: what ends expires, what begins takes
 * over what the month before left and pays debts, and then the hour's charges burn.
 */
export class GrantAccount {
  readonly #coming: GrantPiece[];
  readonly #opened: OpenPiece[] = [];
  /** Valid ones with something left, in burn order. */
  #valid: OpenPiece[] = [];
  readonly #rollovers = new Map<string, Nanocredits>();
  readonly #segments: BurnSegment[] = [];
  #segment: OpenSegment | undefined;
  /** Negative: paid back more than was charged, which the next charge uses up first. */
  #debt = 0n;
  /** Asked for with every hour; infinite when nothing turns any more. */
  #next: number;
  #granted = 0n;

  constructor(pieces: readonly GrantPiece[]) {
    this.#coming = pieces.toSorted((a, b) => numbers(b.from, a.from) || burnOrder(b, a));
    this.#next = this.#findNext();
  }

  get granted(): Nanocredits {
    return this.#granted;
  }

  get debt(): Nanocredits {
    return this.#debt;
  }

  get left(): Nanocredits {
    return this.#valid.reduce((sum, { left }) => sum + left, 0n);
  }

  /** The next instant at which a piece begins or ends. */
  nextTurn(): Instant | undefined {
    return Number.isFinite(this.#next) ? this.#next : undefined;
  }

  /** Expires and opens what is due by `now`, in the order of time. */
  turn(now: Instant): void {
    while (this.#next <= now) {
      const next = this.#next;
      this.#close(next);
      this.#expire(next);
      this.#open(next);
      this.#next = this.#findNext();
    }
  }

  /** Of an hour whose turns are done. */
  charge({ hour, amount }: HourCharge): void {
    const before = this.#debt;
    this.#debt += amount;
    const burns = this.#pay();
    const debt = this.#debt - before;
    const segment = this.#segment;
    if (segment === undefined || !samePayers(segment, burns, debt)) {
      this.#close(hour);
      this.#segment = { from: hour, burns, debt };
      return;
    }
    for (const [piece, burnt] of burns) {
      segment.burns.set(piece, (segment.burns.get(piece) ?? 0n) + burnt);
    }
    segment.debt += debt;
  }

  result(now: Instant): BurnDown {
    this.#close(now);
    return {
      pieces: this.#opened.map((one) => ({ ...one })),
      segments: [...this.#segments],
      debt: this.#debt,
      granted: this.#granted,
      balance: this.left - this.#debt,
    };
  }

  #findNext(): number {
    const ends = this.#valid.map(({ piece }) => at(piece.until));
    return Math.min(at(this.#coming.at(-1)?.from), ...ends);
  }

  #close(until: Instant): void {
    const segment = this.#segment;
    this.#segment = undefined;
    if (segment === undefined) return;
    const burns = [...segment.burns].map(([piece, amount]) => ({ piece, amount }));
    this.#segments.push({ from: segment.from, until, burns, debt: segment.debt });
  }

  #expire(now: Instant): void {
    const over = this.#valid.filter(({ piece }) => at(piece.until) <= now);
    for (const open of over) {
      open.expired = open.left;
      open.left = 0n;
      this.#granted -= open.expired;
      const { next } = open.piece;
      if (next === undefined) continue;
      const { min, max } = next.rollover;
      this.#rollovers.set(next.id, smaller(max, larger(open.expired, min)));
    }
    this.#valid = this.#valid.filter((open) => !over.includes(open));
  }

  #open(now: Instant): void {
    const before = this.#debt;
    for (let piece = this.#coming.at(-1); piece?.from === now; piece = this.#coming.at(-1)) {
      this.#coming.pop();
      const rolledIn = this.#rollovers.get(piece.id) ?? 0n;
      const granted = piece.amount + rolledIn;
      this.#granted += granted;
      const open = { piece, granted, rolledIn, used: 0n, left: granted, expired: 0n };
      this.#opened.push(open);
      if (granted >= 0n) {
        this.#valid.push(open);
      } else {
        // Credits taken back are owed like a charge, by what is valid then.
        Object.assign(open, { used: granted, left: 0n });
        this.#debt -= granted;
      }
    }
    this.#valid.sort((a, b) => burnOrder(a.piece, b.piece));
    const burns = this.#pay();
    const debt = this.#debt - before;
    if (burns.size > 0 || debt !== 0n) this.#segment = { from: now, burns, debt };
  }

  /** Debts are paid by what is valid, until one of the two is used up. */
  #pay(): Map<string, Nanocredits> {
    const burns = new Map<string, Nanocredits>();
    for (const open of this.#valid) {
      if (this.#debt <= 0n) break;
      const burnt = smaller(open.left, this.#debt);
      if (burnt === 0n) continue;
      open.left -= burnt;
      open.used += burnt;
      this.#debt -= burnt;
      burns.set(open.piece.id, burnt);
    }
    return burns;
  }
}

function samePayers(
  { burns, debt }: OpenSegment,
  more: ReadonlyMap<string, Nanocredits>,
  moreDebt: Nanocredits,
): boolean {
  if ((debt === 0n) !== (moreDebt === 0n) || burns.size !== more.size) return false;
  return [...more.keys()].every((piece) => burns.has(piece));
}

/** Sums of the same hour are added; hours after now don't count yet. */
export function hoursOf(charges: readonly HourCharge[], now: Instant): HourCharge[] {
  const sums = new Map<Instant, Nanocredits>();
  for (const { hour, amount } of charges) {
    if (hour <= now) sums.set(hour, (sums.get(hour) ?? 0n) + amount);
  }
  return [...sums]
    .map(([hour, amount]) => ({ hour, amount }))
    .sort((a, b) => numbers(a.hour, b.hour));
}

/** The account as it stands at `now`, ready to be played on. */
export function accountAt(
  pieces: readonly GrantPiece[],
  charges: readonly HourCharge[],
  now: Instant,
): GrantAccount {
  const account = new GrantAccount(pieces);
  for (const hour of hoursOf(charges, now)) {
    account.turn(hour.hour);
    account.charge(hour);
  }
  account.turn(now);
  return account;
}

/**
 * Which grant paid what: a function of the grants, the net charges by hour and the time alone, so
 * that the order in which any of them became known changes nothing. A correction changes the hour it
 * corrects, so that credits go back to the grant that paid them, and expire with it if it has.
 */
export function burnDown(
  grants: readonly GivenGrant[],
  charges: readonly HourCharge[],
  now: Instant,
): BurnDown {
  return accountAt(grantPieces(grants, now), charges, now).result(now);
}
