import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/**
 * What one evaluation found for one subject. Only `breach` moves an alert towards firing (and
 * `no_data` where its rule says `no_data: alert`), only `ok` towards its end; the others change no
 * state and are told.
 */
export const ALERT_VERDICTS = ['ok', 'breach', 'no_data', 'error', 'stale'] as const;
export type AlertVerdict = (typeof ALERT_VERDICTS)[number];

/**
 * `inactive`: was pending and never fired, so that nobody is told; `resolved` and `gone` have fired.
 * `gone`: what it was about isn't there any more, which is no recovery.
 */
export const ALERT_STATES = ['inactive', 'pending', 'firing', 'resolved', 'gone'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** One thing that was looked at. Frozen with the actions that follow from it. */
export interface AlertEvidence {
  /** Such as `cost so far`. */
  readonly what: string;
  readonly value: number | undefined;
  /** As people read it, such as `credits`, `%`, `ms`; '' for a plain number. */
  readonly unit: string;
  /** Which store, cluster or witness said it: two that differ are two sources. */
  readonly source: string;
  /** Data up to here are in it; undefined where the source doesn't tell. */
  readonly watermark: Instant | undefined;
  /** The answer was whole: no list was cut short, no part failed. */
  readonly complete: boolean;
}

export const TARGET_KINDS = [
  'application',
  'streaming-query',
  'workload',
  'cluster',
  'project',
  'pool',
  'tollgate',
] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** What an alert is about, and what enforcement may act on. Unused names are ''. */
export interface AlertTarget {
  readonly kind: TargetKind;
  readonly cluster: string;
  /** Application id, query id, workload name, or what `kind` calls for. */
  readonly id: string;
  /**
   * Start of this incarnation: ids are used again, so that id and start together are a target.
   * Undefined where it isn't known; such a target can't be acted on.
   */
  readonly startedAt: Instant | undefined;
}

/** What it costs, for people; decimal credits, as the REST API prints them. */
export interface AlertCost {
  readonly perHour: string;
  readonly soFar: string;
}

/** One alert: one rule and one set of labels. */
export interface Alert {
  /** Hash of the rule's name and the labels: the same for every episode. */
  readonly id: string;
  /** Counts its firings, from 1 (while pending: the one to come); with the id it names an occurrence. */
  readonly episode: number;
  readonly rule: string;
  /** Hashes of the rule as it was written: `CONDITION-REST`; the state outlives a change of the rest. */
  readonly ruleVersion: string;
  readonly severity: Severity;
  /** Whose it is; undefined for the platform's own. */
  readonly project: ProjectId | undefined;
  readonly target: AlertTarget;
  readonly labels: Readonly<Record<string, string>>;
  /** `summary`, `description`, `advice`, `runbook` and what the signal adds. Plain text. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: AlertState;
  /** Of the last evaluation. */
  readonly verdict: AlertVerdict;
  /** Why the verdict is none, for `no_data`, `error` and `stale`; else ''. */
  readonly verdictWhy: string;
  /** Consecutive evaluations in breach on fresh and complete evidence. */
  readonly breaches: number;
  readonly value: number | undefined;
  /** Of the value, as people read it, such as `credits`, `%`, `ms`; '' for a plain number. */
  readonly unit: string;
  /** What the value is held against, for messages, such as `above 80 %`; '' where there is none. */
  readonly limit: string;
  readonly evidence: readonly AlertEvidence[];
  readonly cost: AlertCost | undefined;
  /** First breach of this episode. */
  readonly activeSince: Instant;
  readonly firedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  /** Since when it would have ended, while `keep_firing_for` runs. */
  readonly clearingSince: Instant | undefined;
  /** Since which complete reading its subject is missing; it is gone when the next one misses it too. */
  readonly missingSince: Instant | undefined;
  readonly evaluatedAt: Instant;
}

/** An occurrence of an alert, as notifications and actions name it. */
export function occurrenceOf({ id, episode }: Pick<Alert, 'id' | 'episode'>): string {
  return `${id}#${episode}`;
}
