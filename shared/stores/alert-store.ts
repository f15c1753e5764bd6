import type { Alert } from '../contracts/alert.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Fence } from './lease.ts';

/** How a rule fares, one row a rule. */
export interface RuleHealth {
  readonly rule: string;
  readonly ruleVersion: string;
  readonly evaluatedAt: Instant;
  readonly outcome: 'ok' | 'error' | 'stale';
  /** Why it is no `ok`; else ''. */
  readonly why: string;
  readonly durationMs: number;
}

/**
 * A moment in an alert's life, for its history; one for an alert and instant: after a clock went back
 * the later stands.
 */
export interface AlertTransition {
  readonly alert: string;
  readonly episode: number;
  readonly at: Instant;
  readonly from: Alert['state'];
  readonly to: Alert['state'];
  readonly why: string;
}

export interface AlertFilter {
  readonly project?: ProjectId;
  readonly rule?: string;
  readonly state?: Alert['state'];
  readonly limit: number;
}

/** State of alerts: `for` progress survives restarts. */
export interface AlertStore {
  /**
   * One transaction: alerts, their transitions, the rules' health.
   *
   * @throws AppError FENCED when another evaluator has taken over
   */
  save(
    change: {
      readonly alerts: readonly Alert[];
      readonly transitions: readonly AlertTransition[];
      readonly health: readonly RuleHealth[];
    },
    fence: Fence | undefined,
  ): Promise<void>;
  /** Rises with each save that holds alerts, by whatever process: a reader knows whether to read again. */
  revision(): Promise<bigint>;
  /** Pending and firing ones, and those that ended after `endedSince`. */
  open(endedSince: Instant): Promise<Alert[]>;
  alert(id: string): Promise<Alert | undefined>;
  /** Those of some ids, whatever their state: an episode goes on counting where the last one ended. */
  known(ids: readonly string[]): Promise<Alert[]>;
  /** Newest first. */
  alerts(filter: AlertFilter): Promise<Alert[]>;
  /** Newest first. */
  transitions(alert: string, limit: number): Promise<AlertTransition[]>;
  /** Alerts that began to fire at least so many times since then. */
  firedOften(since: Instant, times: number): Promise<ReadonlySet<string>>;
  health(): Promise<RuleHealth[]>;
  /** Takes ended alerts, transitions and the health of rules that weren't looked at since away. */
  forget(before: Instant): Promise<number>;
}
