import type { EnforcementLevel, WorkloadKind } from '../../../../shared/contracts/action.ts';
import type { Severity } from '../../../../shared/contracts/alert.ts';

/** One step of a ladder, done after its grace. */
export interface Rung {
  readonly level: EnforcementLevel;
  readonly graceMs: number;
  /** graceful-stop: how long the agent has. */
  readonly withinMs: number;
  /** terminate-cluster: although it isn't idle, as for one that is too old. */
  readonly evenIfBusy: boolean;
}

/** What may be done to whom because of which alerts. Names are globs. */
export interface Policy {
  readonly id: string;
  /** Hash of all below: a level is switched on for one version only. */
  readonly version: string;
  readonly rules: readonly string[];
  readonly severities: readonly Severity[];
  readonly projects: readonly string[];
  readonly clusters: readonly string[];
  /** Of applications. */
  readonly workloads: readonly WorkloadKind[];
  /** From mild to hard. */
  readonly ladder: readonly Rung[];
  readonly periodMs: number;
  readonly evidenceMaxAgeMs: number;
  readonly minAgeMs: number;
  /** Projects whose owners agreed that production streams may be stopped too. */
  readonly includeStreaming: readonly string[];
  readonly extendMs: number;
  readonly extensionsMax: number;
  /** Receivers of announcements. */
  readonly announceTo: readonly string[];
}

/** What holds for all policies. */
export interface EnforceRules {
  readonly budget: {
    readonly perTick: number;
    readonly perHour: number;
    readonly perProjectHour: number;
    /** Of the applications that run; at least one. */
    readonly percentOfRunning: number;
  };
  readonly freeze: {
    readonly dropPercent: number;
    /** Smaller clusters may end all they have. */
    readonly minimumLive: number;
    readonly settleMs: number;
  };
  readonly protect: {
    readonly queues: readonly string[];
    readonly names: readonly string[];
    readonly users: readonly string[];
    readonly tags: readonly { readonly key: string; readonly values: readonly string[] }[];
  };
  readonly production: { readonly keys: readonly string[]; readonly values: readonly string[] };
  /** How far apart two sources of one value may be. */
  readonly agreePercent: number;
  /** How far an alert's start of its target may be from the manager's. */
  readonly startToleranceMs: number;
  readonly lookMaxAgeMs: number;
  /** How far a clock may be ahead or back. */
  readonly clockToleranceMs: number;
  /** How long after the announced time it may still be done. */
  readonly validMs: number;
  /** How long an announcement may take to arrive. */
  readonly announceMaxMs: number;
  readonly idle: { readonly windowMs: number; readonly freshMs: number };
  /** Queues that are one project's own. */
  readonly queues: readonly {
    readonly cluster: string;
    readonly project: string;
    readonly queue: string;
  }[];
}
