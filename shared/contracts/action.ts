import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** From mild to hard; a policy's ladder has some of them, in this order. */
export const ENFORCEMENT_LEVELS = [
  'notify',
  'deny-new-work',
  'cap-executors',
  'graceful-stop',
  'kill',
  'terminate-cluster',
] as const;
export type EnforcementLevel = (typeof ENFORCEMENT_LEVELS)[number];

/** They end work: the budget counts them. */
export const DESTRUCTIVE_LEVELS: ReadonlySet<EnforcementLevel> = new Set([
  'graceful-stop',
  'kill',
  'terminate-cluster',
]);

/** What they did is taken back when its reason has ended. */
export const STANDING_LEVELS: ReadonlySet<EnforcementLevel> = new Set([
  'deny-new-work',
  'cap-executors',
]);

/** `unknown` is treated as what must be spared most. */
export const WORKLOAD_KINDS = [
  'batch',
  'stream',
  'notebook',
  'shell',
  'thrift',
  'connect',
  'unknown',
] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

export const ACTION_STATES = [
  'proposed',
  'announced',
  'intended',
  'asked',
  'verified',
  'failed',
  'aborted',
  'unknown',
  'reversing',
  'reversed',
] as const;
export type ActionState = (typeof ACTION_STATES)[number];

/** What is acted on: one incarnation, since ids are used again. */
export interface ActionTarget {
  readonly kind: 'application' | 'cluster' | 'project';
  /** '' for a project in Tollgate's own admission. */
  readonly cluster: string;
  readonly id: string;
  /** As its manager tells it; of a project the start of the alert's episode. */
  readonly startedAt: Instant;
}

/** Through what it is done; `none` for a message alone. */
export type ActionMeans = 'none' | 'admission' | 'manager' | 'stop-order';

/** What is decided; the rest of an action is what became of it. */
export interface ActionProposal {
  readonly policy: string;
  readonly policyVersion: string;
  readonly level: EnforcementLevel;
  /** Id and episode of the alert it follows from. */
  readonly alert: string;
  readonly episode: number;
  readonly rule: string;
  readonly ruleVersion: string;
  readonly project: ProjectId | undefined;
  readonly target: ActionTarget;
  readonly means: ActionMeans;
  /** What the manager is asked about: an application, a queue; else ''. */
  readonly subject: string;
  readonly graceMs: number;
  /** graceful-stop: how long the agent has. */
  readonly withinMs: number;
  /** The target is left alone in this period after it was acted on. */
  readonly periodMs: number;
  readonly announceTo: readonly string[];
}

export interface EnforcementAction extends ActionProposal {
  readonly id: string;
  readonly state: ActionState;
  /** Why it is in this state, as a word, such as `exempt`; '' while all goes on as planned. */
  readonly reason: string;
  /** The same in full, for people. */
  readonly detail: string;
  /** Rises with each change: who changes an action names the version that was read. */
  readonly version: number;
  readonly proposedAt: Instant;
  readonly proposedSteadyMs: number;
  readonly announcedAt: Instant | undefined;
  readonly announcedSteadyMs: number | undefined;
  /** Grace that was added through the extend link. */
  readonly extendedMs: number;
  readonly extensions: number;
  readonly intendedAt: Instant | undefined;
  readonly intendedSteadyMs: number | undefined;
  /** The queue that an application was in before it was capped. */
  readonly queueBefore: string;
  /** What admission was before new work was denied, as its manager wants it back. */
  readonly restore: string | undefined;
  readonly updatedAt: Instant;
}

export function isOpen({ state, level }: Pick<EnforcementAction, 'state' | 'level'>): boolean {
  if (state === 'verified') return STANDING_LEVELS.has(level);
  return state !== 'failed' && state !== 'aborted' && state !== 'reversed';
}

/** When it will be done at the earliest; before it is announced, were it announced at `now`. */
export function dueAt(action: EnforcementAction, now: Instant): Instant {
  return (action.announcedAt ?? now) + action.graceMs + action.extendedMs;
}

/** What identifies a target within one look: without its incarnation. */
export function targetName({ kind, cluster, id }: Omit<ActionTarget, 'startedAt'>): string {
  return JSON.stringify([kind, cluster, id]);
}

export function isSameTarget(a: ActionTarget, b: ActionTarget): boolean {
  return targetName(a) === targetName(b) && a.startedAt === b.startedAt;
}
