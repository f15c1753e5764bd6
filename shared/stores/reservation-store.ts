import type { Level, LevelRefusal } from '../grants/evaluate-levels.ts';
import type { LimitRefusal, ProjectLimits } from '../rating/evaluate-limits.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Balance } from './ledger-reader.ts';

export const RESERVATION_STATES = ['held', 'posted', 'voided', 'expired'] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

/** What all containers of a job hold together. */
export interface HeldResources {
  readonly millicores: number;
  readonly memoryMib: number;
  readonly gpus: number;
  /** For people. */
  readonly executors: number;
}

/** What a client asks for. The same id with the same body is the same hold, however often it comes. */
export interface Hold {
  readonly project: ProjectId;
  /** Made by the client before it first asks, and kept by it. */
  readonly id: string;
  /** Name of the workload. */
  readonly application: string;
  readonly resources: HeldResources;
  /** The most it may cost. */
  readonly maxCost: Nanocredits;
  readonly leaseMs: number;
  /** Highest price multiplier that the client takes, as it said it; kept, not judged. */
  readonly multiplierCap: string | undefined;
  /** Id of a quote; kept, not judged. */
  readonly quote: string | undefined;
}

/** Credits and cores held before the work. */
export interface Reservation extends Hold {
  /** A held one whose lease is over is `expired`, whether or not anybody has looked. */
  readonly state: ReservationState;
  /** Charged and accrued so far of the applications under it. */
  readonly spent: Nanocredits;
  /** What it takes from the balance: maxCost − spent, at least 0; 0 once it isn't held. */
  readonly pending: Nanocredits;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly resolvedAt: Instant | undefined;
  readonly applications: readonly { readonly cluster: string; readonly application: string }[];
}

/** What became of a hold. The balance is as it stands after it. */
export type HoldOutcome =
  | {
      readonly outcome: 'held' | 'exists';
      readonly reservation: Reservation;
      readonly balance: Balance;
    }
  | {
      readonly outcome: 'refused';
      readonly refusals: readonly LimitRefusal[];
      readonly balance: Balance;
    }
  /** The lowest level without room for it. */
  | {
      readonly outcome: 'refused-above';
      readonly refusal: LevelRefusal;
      readonly balance: Balance;
    }
  | { readonly outcome: 'unknown-project' }
  /** The id was used with another body. */
  | { readonly outcome: 'conflict' };

/**
 * What became of a step on a reservation. `not-held`: it had been resolved otherwise before, as its
 * state says; `repeated`: in the same way, so that a retry is told what the first try did.
 */
export interface StepOutcome {
  readonly outcome: 'done' | 'repeated' | 'not-held';
  readonly reservation: Reservation;
}

/**
 * Two phases: hold, then post or void. Written by the API. What a reservation holds is part of the
 * balance until it is resolved or its lease is over; after that time it holds nothing, swept or not.
 * "Now" is the caller's; times of several callers should not differ by more than a lease is long.
 */
export interface ReservationStore {
  /**
   * Decides and writes in one atomic step: no order of any number of callers takes charged +
   * accrued + reserved beyond granted + credit line, or cores beyond their limit; nor what all
   * projects of a level use and hold beyond its limit of the month.
   *
   * @param levels above the project, lowest first, in which it may borrow; every caller names the same
   * @throws AppError OVERLOADED when too many wait
   */
  hold(
    hold: Hold,
    limits: ProjectLimits,
    now: Instant,
    levels?: readonly Level[],
  ): Promise<HoldOutcome>;
  /** Moves the end of the lease to now + leaseMs; never back. */
  renew(ref: ReservationRef, leaseMs: number, now: Instant): Promise<StepOutcome | undefined>;
  /** Ends it and releases what wasn't spent; the ledger charges the rest. */
  post(ref: ReservationRef, now: Instant): Promise<StepOutcome | undefined>;
  /** Ends it as one that wasn't used. */
  void(ref: ReservationRef, now: Instant): Promise<StepOutcome | undefined>;
  /** Says which application runs under it; an application that names it by its tag needs no saying. */
  attach(
    ref: ReservationRef,
    application: { readonly cluster: string; readonly application: string },
    now: Instant,
  ): Promise<StepOutcome | undefined>;
  reservation(ref: ReservationRef, now: Instant): Promise<Reservation | undefined>;
  /** Newest first. */
  reservations(
    project: ProjectId,
    filter: { readonly state?: ReservationState; readonly limit: number },
    now: Instant,
  ): Promise<Reservation[]>;
}

export interface ReservationRef {
  readonly project: ProjectId;
  readonly id: string;
}

/** The tag by which an application says under which reservation it runs. */
export const RESERVATION_TAG = 'tollgate.reservation';
