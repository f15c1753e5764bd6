import type { Actuation, ClusterSight } from '../../../../shared/clusters/cluster-actuator.ts';
import type {
  ActionProposal,
  ActionTarget,
  EnforcementAction,
  EnforcementLevel,
  WorkloadKind,
} from '../../../../shared/contracts/action.ts';
import type { Alert } from '../../../../shared/contracts/alert.ts';
import type {
  Brake,
  EnforcementState,
  Exemption,
  Intent,
  LevelSwitch,
} from '../../../../shared/stores/enforcement-store.ts';
import type { Instant } from '../../../../shared/values/instant.ts';
import type { ProjectId } from '../../../../shared/values/project-id.ts';
import type { EnforceRules, Policy } from './policy.ts';

/** What the tag `tollgate.exempt` of an application is worth. */
export type ExemptTag =
  | { readonly state: 'none' }
  | { readonly state: 'signed'; readonly until: Instant }
  | { readonly state: 'ignored'; readonly why: string };

export interface LiveApplication {
  readonly cluster: string;
  readonly id: string;
  /** As its manager tells it; undefined where it may not be told. */
  readonly startedAt: Instant | undefined;
  /** Undefined where nobody pays for it yet. */
  readonly project: ProjectId | undefined;
  readonly workload: string;
  readonly user: string;
  readonly queue: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly kind: WorkloadKind;
  readonly exempt: ExemptTag;
}

/** One cluster at its last look. */
export interface ClusterLook {
  readonly cluster: string;
  readonly at: Instant;
  /** All its applications are known. */
  readonly complete: boolean;
  /** Why it isn't complete; else ''. */
  readonly why: string;
  /** Waiting and running applications. */
  readonly live: number;
  /** What its manager can be asked for; undefined without a reader of targets: it is only observed. */
  readonly abilities: readonly Actuation[] | undefined;
  /** It can be read whether a queue lets work in. */
  readonly tellsAdmission: boolean;
  readonly sight: ClusterSight;
}

export interface PlanInput {
  readonly now: Instant;
  /** As of this tick, while `state.steadyMs` is as of the last. */
  readonly steadyMs: number;
  readonly policies: readonly Policy[];
  readonly rules: EnforceRules;
  readonly levels: readonly LevelSwitch[];
  readonly alerts: readonly Alert[];
  readonly clusters: readonly ClusterLook[];
  readonly applications: readonly LiveApplication[];
  readonly exemptions: readonly Exemption[];
  /** Of the last hour and the longest period. */
  readonly intents: readonly Intent[];
  /** Open ones, and those of the alerts' occurrences. */
  readonly actions: readonly EnforcementAction[];
  readonly state: EnforcementState;
  readonly brake: Brake | undefined;
  readonly switchedOn: { readonly on: boolean; readonly why: string };
}

/** Why nothing at all is done. */
export const HOLD_REASONS = ['switched-off', 'braked', 'clock-went-back', 'frozen'] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

/** Why an alert is left alone, or an action is called off or waits. */
export const LEFT_REASONS = [
  ...HOLD_REASONS,
  'not-firing',
  'not-in-breach',
  'breached-once',
  'evidence-stale',
  'evidence-incomplete',
  'sources-disagree',
  'no-target',
  'no-incarnation',
  'target-unseen',
  'look-incomplete',
  'no-reader',
  'ended',
  'another-incarnation',
  'exempt',
  'protected',
  'too-young',
  'production-stream',
  'stream-not-stopped-first',
  'not-idle',
  'unresolved',
  'in-flight',
  'already-done',
  'milder-first',
  'ladder-done',
  'observe',
  'level-off',
  'policy-changed',
  'over-budget',
  'not-delivered',
  'in-grace',
  'expired',
] as const;
export type LeftReason = (typeof LEFT_REASONS)[number];

export interface Obstacle {
  readonly reason: LeftReason;
  readonly detail: string;
}

/** What isn't done, and why. */
export interface LeftAlone extends Obstacle {
  readonly alert: string;
  readonly episode: number;
  readonly policy: string;
  readonly target: Omit<ActionTarget, 'startedAt'>;
  /** What would be done; undefined where that isn't known either. */
  readonly level: EnforcementLevel | undefined;
  /** Milder levels that the cluster has no means for. */
  readonly unsupported: readonly EnforcementLevel[];
}

export interface CallOff extends Obstacle {
  readonly action: string;
}

/** What is to be done in one tick: plain data. */
export interface EnforcementPlan {
  readonly at: Instant;
  readonly hold: { readonly reason: HoldReason; readonly detail: string } | undefined;
  /** The budget doesn't reach: nothing of the batch is done, and everything stops. */
  readonly brake: Omit<Brake, 'at'> | undefined;
  readonly propose: readonly ActionProposal[];
  /** Due actions, each to be looked at again. */
  readonly execute: readonly string[];
  readonly abort: readonly CallOff[];
  /** Denials whose reason has ended. */
  readonly lift: readonly string[];
  readonly wait: readonly CallOff[];
  readonly left: readonly LeftAlone[];
  readonly ignoredExemptions: readonly {
    readonly cluster: string;
    readonly application: string;
    readonly why: string;
  }[];
}
