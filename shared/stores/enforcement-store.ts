import type {
  ActionProposal,
  ActionState,
  EnforcementAction,
  EnforcementLevel,
} from '../contracts/action.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Fence } from './lease.ts';

/** Who did it, when, and why: nothing is switched without. */
export interface Audit {
  /** Given by the caller, so that doing it again does nothing twice. */
  readonly id: string;
  readonly by: string;
  readonly why: string;
  readonly at: Instant;
}

/** That a level of a policy, as the policy was then, may act or not. */
export interface LevelSwitch extends Audit {
  readonly policy: string;
  readonly policyVersion: string;
  readonly level: EnforcementLevel;
  readonly on: boolean;
}

export interface Exemption extends Audit {
  readonly owner: string;
  /** Undefined, or '': any. A cluster, application or workload alone is narrow enough too. */
  readonly project: ProjectId | undefined;
  readonly cluster: string;
  readonly application: string;
  readonly workload: string;
  readonly expiresAt: Instant;
}

/** The switch of everything, as the API turns it. */
export interface GlobalSwitch extends Audit {
  readonly on: boolean;
}

/** Stops everything until a person has looked; only enforcement pulls it. */
export interface Brake {
  readonly reason: string;
  readonly detail: string;
  readonly at: Instant;
}

/** How many applications a cluster had when that was last believed. */
export interface LiveReference {
  readonly live: number;
  /** In steady time; undefined while it isn't below. */
  readonly droppedSinceMs: number | undefined;
}

/** What enforcement remembers between two ticks, whoever does them. */
export interface EnforcementState {
  /** Milliseconds that enforcers have lived through, by their monotonic clocks. */
  readonly steadyMs: number;
  /** The latest wall clock seen. */
  readonly wallMax: Instant;
  readonly references: Readonly<Record<string, LiveReference>>;
}

/** That something was about to be asked: what the budget counts. */
export interface Intent {
  /** Names policy, level, incarnation and period: there is one of each. */
  readonly key: string;
  readonly action: string;
  readonly level: EnforcementLevel;
  readonly project: ProjectId | undefined;
  readonly target: EnforcementAction['target'];
  readonly at: Instant;
  readonly steadyMs: number;
}

/** The part of an action that changes. */
export type ActionChange = Partial<
  Pick<
    EnforcementAction,
    'announcedAt' | 'announcedSteadyMs' | 'intendedAt' | 'intendedSteadyMs' | 'queueBefore'
  >
> & {
  readonly state: ActionState;
  readonly reason: string;
  readonly detail: string;
};

export interface NewAction extends ActionProposal {
  readonly id: string;
  readonly proposedAt: Instant;
  readonly proposedSteadyMs: number;
  /** Canonical JSON of what the decision was made from. */
  readonly frozen: string;
}

/** One link of the chain of what happened. */
export interface HistoryEntry {
  /** From 1, without gaps. */
  readonly seq: number;
  readonly at: Instant;
  /** A state of an action, or what was switched: `level`, `switch`, `exemption`, `brake`, … */
  readonly kind: string;
  /** '' where it is about none. */
  readonly action: string;
  /** Canonical JSON. */
  readonly body: string;
  /** Hash of the entry before; of the first 64 zeros. */
  readonly previous: string;
  readonly hash: string;
}

export interface ActionFilter {
  readonly project?: ProjectId;
  readonly state?: ActionState;
  readonly limit: number;
}

/** What the enforcer writes: each call one transaction, refused with FENCED once another leads. */
export interface EnforcementWriter {
  keepState(state: EnforcementState, fence: Fence): Promise<void>;
  /** An id that is there is passed over. */
  propose(actions: readonly NewAction[], fence: Fence): Promise<void>;
  /** @throws AppError CONFLICT when the action isn't in the version that was read any more */
  change(
    action: Pick<EnforcementAction, 'id' | 'version'>,
    change: ActionChange,
    at: Instant,
    fence: Fence,
  ): Promise<void>;
  /**
   * Writes that something is about to be asked, with what was read before. After it resolved, and
   * only then, it may be asked, once.
   *
   * An announced action is intended by it, one that stands begins to be reversed.
   *
   * @throws AppError CONFLICT when the key was used, or the action was changed or is in another state
   */
  intend(
    intent: Intent,
    action: Pick<EnforcementAction, 'version' | 'queueBefore' | 'restore'> & {
      /** Canonical JSON of the last look. */
      readonly recheck: string;
    },
    fence: Fence,
  ): Promise<void>;
  /** The first one stands until it is released. */
  brake(brake: Brake, fence: Fence): Promise<void>;
}

export interface EnforcementReader {
  state(): Promise<EnforcementState>;
  brakeOn(): Promise<Brake | undefined>;
  /** Not final ones, and denials and caps that stand, oldest first. */
  open(): Promise<EnforcementAction[]>;
  /** All of one occurrence of an alert, oldest first. */
  ofOccurrence(alert: string, episode: number): Promise<EnforcementAction[]>;
  action(id: string): Promise<EnforcementAction | undefined>;
  /** Newest first. */
  actions(filter: ActionFilter): Promise<EnforcementAction[]>;
  /** Those after an instant of the wall clock, or one of steady time: whichever are more. */
  intents(since: { readonly at: Instant; readonly steadyMs: number }): Promise<Intent[]>;
  /** The newest of each policy and level. */
  levels(): Promise<LevelSwitch[]>;
  /** The newest; undefined when it was never turned. */
  globalSwitch(): Promise<GlobalSwitch | undefined>;
  /** Neither expired nor revoked. */
  exemptions(now: Instant): Promise<Exemption[]>;
  /** In order, from after `seq`. */
  history(after: number, limit: number): Promise<HistoryEntry[]>;
  historyOf(action: string): Promise<HistoryEntry[]>;
}

/** What people do, through the API. Each call is audited; repeating one is a no-op. */
export interface EnforcementDesk {
  switchLevel(level: LevelSwitch): Promise<void>;
  switchAll(turn: GlobalSwitch): Promise<void>;
  /** @throws AppError BAD_REQUEST without owner, reason, end, or anything that it is narrowed to */
  exempt(exemption: Exemption): Promise<void>;
  revokeExemption(exemption: string, audit: Audit): Promise<void>;
  /** @returns whether it was on */
  releaseBrake(audit: Audit): Promise<boolean>;
  /** A clock was wrong: what it showed is forgotten. */
  resetClock(audit: Audit): Promise<void>;
  /** @throws AppError CONFLICT when its outcome isn't unknown */
  resolve(action: string, outcome: 'verified' | 'failed', audit: Audit): Promise<void>;
  /** @throws AppError CONFLICT when it isn't waiting, or was extended since the link was made */
  extend(
    action: string,
    extension: { readonly extensions: number; readonly byMs: number },
    audit: Audit,
  ): Promise<void>;
}

/** Actions of enforcement, what allows and forbids them, and the chain of what happened. */
export interface EnforcementStore extends EnforcementWriter, EnforcementReader, EnforcementDesk {}
