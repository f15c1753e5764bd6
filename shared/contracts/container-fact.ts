import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Resources } from '../values/resources.ts';

/** A source that saw a fact. */
export const WITNESSES = [
  'event-log',
  'agent',
  'yarn',
  'standalone',
  'kubernetes',
  'databricks',
  'emr',
] as const;
export type Witness = (typeof WITNESSES)[number];

export const CONTAINER_ROLES = ['driver', 'executor', 'application-master'] as const;
export type ContainerRole = (typeof CONTAINER_ROLES)[number];

interface FactBase {
  /** Permanent identity, given by the origin. The same id with another body is quarantined. */
  readonly id: string;
  readonly cluster: string;
  readonly witness: Witness;
  /** Event time, by the origin's clock. */
  readonly at: Instant;
}

/** How an application ended, as far as a witness tells. */
export interface ApplicationEnding {
  readonly outcome: 'succeeded' | 'failed' | 'killed';
  /** As the origin says it, such as YARN's diagnostics; '' where it doesn't. A tenant's text. */
  readonly reason: string;
  /** Of the driver. An event log without one says `failed` where the last job failed. */
  readonly exitCode?: number;
}

/**
 * What a witness knows of an application. The project comes from the attribution rule of the lowest
 * `rule` over all facts of the application; where no rule matched, `rule` is NO_RULE and the project
 * is `unattributed`.
 */
export interface ApplicationFact extends FactBase {
  readonly kind: 'application-seen' | 'application-ended';
  readonly application: string;
  /** Attempt as the origin writes it, or '' where it has none. */
  readonly attempt: string;
  readonly name: string;
  readonly user: string;
  readonly queue: string;
  readonly project: ProjectId;
  readonly rule: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Spark UI or tracking page, or ''. */
  readonly url: string;
  /** A project that it named and that its user and queue may not use: it is `unattributed` then. */
  readonly claimed?: string;
  /** Of one that has ended. */
  readonly ending?: ApplicationEnding;
}

/** Rank of an application fact that no attribution rule matched. */
export const NO_RULE = 1_000_000;

/**
 * A granted allocation. `container` is unique in its cluster: YARN's container id where the witness
 * knows it, else `<application>/<attempt>/<executor id>`, so that several witnesses mean one container.
 */
export interface ContainerFact extends FactBase {
  readonly kind: 'container-started' | 'container-resized' | 'container-stopped';
  readonly container: string;
  readonly application: string;
  readonly attempt: string;
  readonly role: ContainerRole;
  /** From start and resize; ignored on stop. */
  readonly resources: Resources;
  readonly host: string;
  /** Why it stopped, as the origin says; '' otherwise. */
  readonly reason: string;
}

/** How the reason of a stop begins that nobody saw: a log that just ended, say. */
export const INFERRED_STOP = 'inferred: ';

/** Whether a stop was concluded rather than seen; a seen one of any witness goes before it. */
export function isInferredStop(fact: ContainerFact): boolean {
  return fact.kind === 'container-stopped' && fact.reason.startsWith(INFERRED_STOP);
}

/** A machine of a cluster. */
export interface NodeFact extends FactBase {
  readonly kind: 'node-started' | 'node-stopped';
  readonly node: string;
  readonly capacity: Resources;
  readonly market: 'on-demand' | 'spot' | 'unknown';
  /** The cloud's id of the machine; '' where the witness doesn't tell. */
  readonly instance?: string;
  /** What its manager or cloud says of it: node labels and attributes. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** How full a cluster is; what moves the price. */
export interface LoadFact extends FactBase {
  readonly kind: 'load';
  readonly allocated: Resources;
  readonly pending: Resources;
  readonly capacity: Resources;
  /** Who waits for which part of `pending`, where the manager tells; the rest is nobody's. */
  readonly pendingBy?: readonly ProjectDemand[];
  /** What an autoscaler may make of the capacity, where the manager tells. */
  readonly capacityMax?: Resources;
}

/** What a project's applications ask for and don't have yet. */
export interface ProjectDemand {
  readonly project: ProjectId;
  readonly resources: Resources;
}

export type JournalFact = ApplicationFact | ContainerFact | NodeFact | LoadFact;

/** The container was alive at `until`. Merged by maximum, so repeats and reordering change nothing. */
export interface Evidence {
  readonly cluster: string;
  readonly container: string;
  readonly until: Instant;
}

/**
 * Where the slot time of an application attempt's executors went so far, in ms of one core slot;
 * the five add up to `slotMs`. A cumulative snapshot: the one with the later `at` stands.
 */
export interface ApplicationActivity {
  readonly cluster: string;
  readonly application: string;
  readonly attempt: string;
  readonly at: Instant;
  readonly slotMs: number;
  readonly usefulMs: number;
  readonly wastedMs: number;
  readonly idleMs: number;
  readonly tailMs: number;
  readonly startUpMs: number;
}
