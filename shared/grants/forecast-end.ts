import { DAY_MS, HOUR_MS, type Instant, utcDay, utcHour } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import { burnDown, GrantAccount, type HourCharge } from './burn-down.ts';
import { type GivenGrant, type GrantPiece, grantPieces } from './grant-terms.ts';

export interface ForecastQuestion {
  readonly grants: readonly GivenGrant[];
  /** Net, of all hours that were charged. */
  readonly charges: readonly HourCharge[];
  /** Used and not charged yet. */
  readonly accrued: Nanocredits;
  /** What runs now costs an hour. */
  readonly perHour: Nanocredits;
  readonly now: Instant;
  /** How many whole days back it draws from. */
  readonly days: number;
  readonly seed: number;
}

/** Undefined ends lie beyond `until`. */
export interface Forecast {
  readonly outcome: 'ends' | 'lasts' | 'ended' | 'unknown';
  readonly reason: string;
  readonly median: Instant | undefined;
  /** One future in ten has ended by then. */
  readonly p10: Instant | undefined;
  /** Nine futures in ten have ended by then. */
  readonly p90: Instant | undefined;
  readonly until: Instant;
  readonly historyDays: number;
}

/** With fewer whole days nothing is known of nights and weekends. */
const DAYS_MIN = 3;
const HORIZON_DAYS = 92;
const FUTURES = 200;

type Day = ReadonlyMap<number, Nanocredits>;

interface PastDay {
  readonly weekend: boolean;
  /** Amounts by hour of the day. */
  readonly hours: Day;
  readonly sum: Nanocredits;
}

function isWeekend(day: Instant): boolean {
  const weekday = new Date(day).getUTCDay();
  return weekday === 0 || weekday === 6;
}

/** Whole days since the first charge, up to the last day before today; those without use count. */
function pastDays({ charges, now, days }: ForecastQuestion): PastDay[] {
  const first = charges.reduce((min, { hour }) => Math.min(min, hour), Number.POSITIVE_INFINITY);
  const today = utcDay(now);
  const from = Math.max(today - days * DAY_MS, Math.ceil(first / DAY_MS) * DAY_MS);
  const past: PastDay[] = [];
  for (let day = from; day < today; day += DAY_MS) {
    const hours = new Map<number, Nanocredits>();
    let sum = 0n;
    for (const { hour, amount } of charges) {
      if (hour < day || hour >= day + DAY_MS) continue;
      const n = (hour - day) / HOUR_MS;
      hours.set(n, (hours.get(n) ?? 0n) + amount);
      sum += amount;
    }
    past.push({ weekend: isWeekend(day), hours, sum });
  }
  return past;
}

/** Mulberry32: the same futures for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What is left now and what will be given, as pieces that begin no earlier than now. */
function comingPieces({ grants, charges, now }: ForecastQuestion, until: Instant): GrantPiece[] {
  const { pieces } = burnDown(grants, charges, now);
  const valid = pieces.flatMap(({ piece, left }) => {
    if (piece.amount < 0n || (piece.until !== undefined && piece.until <= now)) return [];
    return { ...piece, amount: left, from: now };
  });
  return [...valid, ...grantPieces(grants, until).filter(({ from }) => from > now)];
}

interface Future {
  readonly pieces: readonly GrantPiece[];
  readonly owed: Nanocredits;
  readonly perHour: Nanocredits;
  readonly now: Instant;
  readonly until: Instant;
  /** Days to draw from: of workdays and of weekends. */
  readonly draw: (weekend: boolean) => PastDay;
}

/** Plays days until nothing is left; a day that can't end it is played at once. */
function endOf({ pieces, owed, perHour, now, until, draw }: Future): Instant | undefined {
  const account = new GrantAccount(pieces);
  const ended = (): boolean => account.left - account.debt <= 0n;
  const charge = (hour: Instant, amount: Nanocredits): void => {
    account.turn(hour);
    if (amount !== 0n) account.charge({ hour, amount });
  };
  charge(now, owed + perHour);
  const next = utcHour(now) + HOUR_MS;
  if (ended()) return next;
  for (let day = utcDay(next); day < until; day += DAY_MS) {
    const { hours, sum } = draw(isWeekend(day));
    const start = Math.max(day, next);
    const turn = account.nextTurn();
    const quiet = turn === undefined || turn > day + DAY_MS;
    if (start === day && quiet && account.left - account.debt > sum) {
      charge(day, sum);
      continue;
    }
    for (let hour = start; hour < day + DAY_MS; hour += HOUR_MS) {
      charge(hour, hours.get((hour - day) / HOUR_MS) ?? 0n);
      if (ended()) return hour;
    }
  }
  return undefined;
}

/** By seasonal resampling: a weekend's future day is a past weekend's, a workday's a past workday's. */
function drawing(past: readonly PastDay[], random: () => number): Future['draw'] {
  const byKind = [past.filter(({ weekend }) => !weekend), past.filter(({ weekend }) => weekend)];
  return (weekend) => {
    const same = byKind[weekend ? 1 : 0] ?? [];
    const from = same.length > 0 ? same : past;
    const drawn = from[Math.floor(random() * from.length)];
    return drawn ?? { weekend, hours: new Map(), sum: 0n };
  };
}

/**
 * When credits end if each coming day is like one of the past days of its kind (workday or weekend)
 * and the present hour burns as what runs now: the median of many such futures, with the band between
 * one in ten and nine in ten. Expiries, later grants and months that are given are in it.
 */
export function forecastEnd(question: ForecastQuestion): Forecast {
  const { grants, charges, accrued, perHour, now, seed } = question;
  const until = utcDay(now) + HORIZON_DAYS * DAY_MS;
  const past = pastDays(question);
  const nothing = { median: undefined, p10: undefined, p90: undefined };
  const told = { ...nothing, until, historyDays: past.length };
  if (grants.length === 0) {
    return { ...told, outcome: 'unknown', reason: 'it has no limit: it was never granted credits' };
  }
  const { balance, debt } = burnDown(grants, charges, now);
  if (balance - accrued <= 0n) return { ...told, outcome: 'ended', reason: 'no credits are left' };
  if (past.length < DAYS_MIN) {
    const reason = `can't tell: ${past.length} whole days of use are known, ${DAYS_MIN} are needed`;
    return { ...told, outcome: 'unknown', reason };
  }
  const pieces = comingPieces(question, until);
  const draw = drawing(past, seeded(seed));
  const future = { pieces, owed: debt + accrued, perHour, now, until, draw };
  const ends = Array.from({ length: FUTURES }, () => endOf(future) ?? Number.POSITIVE_INFINITY);
  ends.sort((a, b) => (a === b ? 0 : a - b));
  const quantile = (share: number): Instant | undefined => {
    const end = ends[Math.ceil(share * FUTURES) - 1];
    return end === undefined || !Number.isFinite(end) ? undefined : end;
  };
  const [p10, median, p90] = [quantile(0.1), quantile(0.5), quantile(0.9)];
  const outcome = p10 === undefined ? 'lasts' : 'ends';
  const share = ends.filter((end) => Number.isFinite(end)).length;
  const reason = `${share} of ${FUTURES} futures drawn from ${past.length} past days end within ${HORIZON_DAYS} days`;
  return { outcome, reason, p10, median, p90, until, historyDays: past.length };
}
