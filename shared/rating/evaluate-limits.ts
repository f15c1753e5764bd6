import type { LimitCode, LimitKind } from '../contracts/rest-limits.ts';
import { DAY_MS, formatInstant, type Instant, utcDay } from '../values/instant.ts';
import { formatCredits, type Nanocredits } from '../values/money.ts';

/** What is measured from time to time, rather than counted. */
export const READING_KINDS = ['stored-bytes', 'log-bytes'] as const;
export type ReadingKind = (typeof READING_KINDS)[number];

/** Quotas of a project. What is undefined has no limit; credits have none before the first grant. */
export interface ProjectLimits {
  /** How far below zero the balance may be promised. */
  readonly creditLine: Nanocredits;
  /** Held by reservations and by running containers, at a time. */
  readonly millicores: number | undefined;
  readonly storedBytes: bigint | undefined;
  /** In a UTC day. */
  readonly logBytesPerDay: bigint | undefined;
  /** A reading older than this is stale. */
  readonly staleMs: number;
  /** Whether a stale or missing reading refuses (`closed`) or is passed over (`open`). */
  readonly failMode: 'open' | 'closed';
}

export const NO_LIMITS: ProjectLimits = {
  creditLine: 0n,
  millicores: undefined,
  storedBytes: undefined,
  logBytesPerDay: undefined,
  staleMs: 3_600_000,
  failMode: 'open',
};

/** What a project used when it was last measured: the sum over its parts, as old as the oldest. */
export interface UseReading {
  readonly kind: ReadingKind;
  readonly used: bigint;
  readonly asOf: Instant;
}

/** What counts against a project's limits. */
export interface LimitAccount {
  readonly granted: Nanocredits;
  readonly charged: Nanocredits;
  readonly accrued: Nanocredits;
  /** What reservations hold beyond what is charged and accrued under them. */
  readonly reserved: Nanocredits;
  /** No grant was ever given: credits aren't limited. */
  readonly unlimited: boolean;
  /** Of running containers. */
  readonly millicores: number;
  /** What reservations hold beyond the containers that run under them. */
  readonly reservedMillicores: number;
  readonly readings: readonly UseReading[];
}

/** What a job asks for. */
export interface LimitedUse {
  /** Undefined when nobody says what it costs. */
  readonly cost: Nanocredits | undefined;
  readonly millicores: number;
}

/** One limit as it stands. In nanocredits, millicores or bytes. */
export interface LimitState {
  readonly kind: LimitKind;
  readonly limit: bigint;
  readonly used: bigint;
  /** When it was measured; undefined for what is counted, and for what never was measured. */
  readonly asOf: Instant | undefined;
  readonly stale: boolean;
}

export interface LimitRefusal extends LimitState {
  readonly code: LimitCode;
  readonly message: string;
  /** When asking again may help; undefined where only a person can. */
  readonly retryAfterMs: number | undefined;
}

/** Others' holds end at any time: ask again soon. */
const HOLDS_RETRY_MS = 30_000;
/** Somebody must delete something, and then it must be measured. */
const BYTES_RETRY_MS = 600_000;

/** What is left: granted − charged − accrued − reserved. */
export function balanceOf(
  account: Pick<LimitAccount, 'granted' | 'charged' | 'accrued' | 'reserved'>,
): Nanocredits {
  return account.granted - account.charged - account.accrued - account.reserved;
}

interface Looked {
  readonly state: LimitState;
  readonly refusal?: LimitRefusal;
}

function lookAtCredits(
  account: LimitAccount,
  { creditLine }: ProjectLimits,
  { cost }: LimitedUse,
): Looked | undefined {
  if (account.unlimited) return undefined;
  const limit = account.granted + creditLine;
  const used = account.charged + account.accrued + account.reserved;
  const state: LimitState = { kind: 'credits', limit, used, asOf: undefined, stale: false };
  const left = limit - used;
  const fits = (room: bigint): boolean => room > 0n && (cost ?? 0n) <= room;
  if (fits(left)) return { state };
  const line = creditLine === 0n ? '' : `, with its credit line of ${formatCredits(creditLine)}`;
  const retryAfterMs = fits(left + account.reserved) ? HOLDS_RETRY_MS : undefined;
  if (left <= 0n) {
    const message = `no credits are left (${formatCredits(left)}${line})`;
    return { state, refusal: { ...state, code: 'balance-exhausted', message, retryAfterMs } };
  }
  const message = `the job would cost ${formatCredits(cost ?? 0n)} credits, ${formatCredits(left)} are left${line}`;
  return { state, refusal: { ...state, code: 'estimate-exceeds-balance', message, retryAfterMs } };
}

const cores = (millicores: number | bigint): string => `${Number(millicores) / 1_000}`;

function lookAtCores(
  account: LimitAccount,
  limits: ProjectLimits,
  { millicores }: LimitedUse,
): Looked | undefined {
  if (limits.millicores === undefined) return undefined;
  const used = account.millicores + account.reservedMillicores;
  const state: LimitState = {
    ...{ kind: 'cores', limit: BigInt(limits.millicores), used: BigInt(used) },
    ...{ asOf: undefined, stale: false },
  };
  // A job that doesn't say what it holds holds something: a full quota refuses it too.
  if (used + Math.max(1, millicores) <= limits.millicores) return { state };
  const message = `${cores(used)} of ${cores(limits.millicores)} cores are in use or held, and the job asks for ${cores(millicores)}`;
  const retryAfterMs = millicores <= limits.millicores ? HOLDS_RETRY_MS : undefined;
  return { state, refusal: { ...state, code: 'cores-exceeded', message, retryAfterMs } };
}

/** How a kind of bytes is said, and when asking again may help. */
const BYTES = {
  'stored-bytes': { what: 'bytes are stored', retryAfterMs: () => BYTES_RETRY_MS },
  'log-bytes': {
    what: 'bytes of logs came today',
    retryAfterMs: (now: Instant) => utcDay(now) + DAY_MS - now,
  },
} as const;

function lookAtBytes(
  kind: ReadingKind,
  limit: bigint | undefined,
  { readings, limits, now }: BytesContext,
): Looked | undefined {
  if (limit === undefined) return undefined;
  const reading = readings.find((one) => one.kind === kind);
  const stale = reading === undefined || now - reading.asOf > limits.staleMs;
  // A day that has just begun has no logs yet, whatever yesterday's reading says.
  const over = kind === 'log-bytes' && reading !== undefined && reading.asOf < utcDay(now);
  const used = over ? 0n : (reading?.used ?? 0n);
  const state: LimitState = { kind, limit, used, asOf: reading?.asOf, stale };
  const { what, retryAfterMs } = BYTES[kind];
  if (stale) {
    if (limits.failMode === 'open') return { state };
    const since =
      reading === undefined
        ? 'were never measured'
        : `were last measured ${formatInstant(reading.asOf)}`;
    const message = `${kind} ${since}, and the project's fail mode is closed`;
    const code = `${kind}-unknown` as const;
    return { state, refusal: { ...state, code, message, retryAfterMs: HOLDS_RETRY_MS } };
  }
  if (used < limit) return { state };
  const message = `${used} ${what} of at most ${limit}`;
  const code = `${kind}-exceeded` as const;
  return { state, refusal: { ...state, code, message, retryAfterMs: retryAfterMs(now) } };
}

interface BytesContext {
  readonly readings: readonly UseReading[];
  readonly limits: ProjectLimits;
  readonly now: Instant;
}

/**
 * The one check of all limits: the quota check asks it, and the hold of a reservation decides by it
 * while the project's row is locked. Nothing is admitted that would take charged + accrued +
 * reserved beyond granted + credit line, or cores beyond their limit; bytes refuse once they are
 * full. All that refuse are told at once.
 */
export function evaluateLimits(
  account: LimitAccount,
  limits: ProjectLimits,
  use: LimitedUse,
  now: Instant,
): { readonly states: LimitState[]; readonly refusals: LimitRefusal[] } {
  const context = { readings: account.readings, limits, now };
  const looked = [
    lookAtCredits(account, limits, use),
    lookAtCores(account, limits, use),
    lookAtBytes('stored-bytes', limits.storedBytes, context),
    lookAtBytes('log-bytes', limits.logBytesPerDay, context),
  ].filter((one) => one !== undefined);
  return {
    states: looked.map(({ state }) => state),
    refusals: looked.flatMap(({ refusal }) => refusal ?? []),
  };
}
