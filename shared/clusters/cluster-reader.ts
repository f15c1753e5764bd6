import type { ApplicationEnding, ContainerRole, NodeFact } from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import type { Resources } from '../values/resources.ts';

/** An application as its manager lists it. */
export interface SeenApplication {
  readonly application: string;
  /** The attempt that runs, as the manager counts it, or '' where it has none. */
  readonly attempt: string;
  readonly name: string;
  readonly user: string;
  readonly queue: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Tracking page, or ''. */
  readonly url: string;
  readonly state: 'waiting' | 'running' | 'ended';
  readonly startedAt: Instant | undefined;
  /** Only of an ended one, and only where the manager tells. */
  readonly endedAt: Instant | undefined;
  /** Only of an ended one, and only where the manager tells. */
  readonly ending?: ApplicationEnding;
  /** Attempts that have ended, with their end. */
  readonly endedAttempts: ReadonlyMap<string, Instant>;
  /** What it asks for and doesn't have yet, where the manager tells. */
  readonly pending?: Resources;
}

export interface SeenContainer {
  /** Unique in its cluster, as `ContainerFact.container`. */
  readonly container: string;
  readonly application: string;
  readonly attempt: string;
  readonly role: ContainerRole;
  readonly resources: Resources;
  /** False where the size was worked out from sums that several splits would explain. */
  readonly sizeCertain: boolean;
  readonly host: string;
  /** The list it stood in; it can only be gone when that list was answered. */
  readonly scope: string;
  /** Undefined where the manager doesn't tell. */
  readonly startedAt: Instant | undefined;
  /** When it was alive, by the manager's own clock where the answer holds it. */
  readonly seenAt: Instant;
}

/** A container that the manager itself calls ended. */
export interface EndedContainer {
  readonly container: string;
  /** Undefined where the manager doesn't tell: then the last sight counts. */
  readonly at: Instant | undefined;
  readonly reason: string;
}

export interface SeenNode {
  readonly node: string;
  readonly capacity: Resources;
  /** How it is paid for; 'unknown' where it isn't said. */
  readonly market?: NodeFact['market'];
  /** The cloud's id of the machine. */
  readonly instance?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ClusterLoad {
  readonly allocated: Resources;
  /** The sum, of applications that aren't told too. */
  readonly pending: Resources;
  readonly capacity: Resources;
  /** Where the manager knows to what its autoscaler may bring it. */
  readonly capacityMax?: Resources;
}

/** Why a part of a snapshot isn't there; named and counted, never read as "nothing runs". */
export const CLUSTER_PROBLEMS = [
  'unreachable',
  'bad-status',
  'not-json',
  'too-large',
  'not-understood',
  'starting-up',
  'standby',
  'throttled',
  'refused',
  'no-view-right',
  'size-unknown',
  'listed-twice',
  'driver-without-application',
] as const;
export type ClusterProblemReason = (typeof CLUSTER_PROBLEMS)[number];

export interface ClusterProblem {
  readonly reason: ClusterProblemReason;
  /** The address without its query, an application, a container. */
  readonly subject: string;
  readonly detail: string;
}

/**
 * What a manager said at one moment. Absence means something only in what was answered whole:
 * a container is gone when its scope is in `answered`, or when `listed` holds and its scope is
 * neither answered nor failed.
 */
export interface ClusterSnapshot {
  /** Before the first request, by Tollgate's clock. */
  readonly at: Instant;
  readonly applications: readonly SeenApplication[];
  readonly containers: readonly SeenContainer[];
  readonly ended: readonly EndedContainer[];
  /** The list of scopes itself (applications, workers) was answered whole. */
  readonly listed: boolean;
  readonly answered: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
  readonly nodes: readonly SeenNode[] | undefined;
  readonly load: ClusterLoad | undefined;
  readonly problems: readonly ClusterProblem[];
}

/** Applications whose containers the caller believes to run, with these containers' attempts. */
export type OpenApplications = ReadonlyMap<string, ReadonlySet<string>>;

/** How a cluster is seen. */
export interface ClusterReader {
  readonly witness: 'yarn' | 'standalone' | 'databricks' | 'emr';
  /**
   * One look. Faults of the world become problems in the snapshot; it only throws when the signal
   * aborts. `open` makes it ask after applications that the manager's list no longer holds.
   */
  snapshot(open: OpenApplications, signal: AbortSignal): Promise<ClusterSnapshot>;
}
