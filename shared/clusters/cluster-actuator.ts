import type { Instant } from '../values/instant.ts';

/** From mild to hard; a cluster type has some of them. */
export const ACTUATIONS = [
  'deny-new-work',
  'allow-new-work',
  'cap-application',
  'uncap-application',
  'limit-lifetime',
  'kill-application',
  'terminate-cluster',
] as const;
export type Actuation = (typeof ACTUATIONS)[number];

/** What is asked of a manager. */
export interface ActuatorOrder {
  /** Of the action it belongs to, for the manager's own records. */
  readonly id: string;
  readonly actuation: Actuation;
  /**
   * Application (on Spark standalone also a driver that the cluster runs), or the queue or policy
   * that new work goes through; '' for a whole cluster.
   */
  readonly subject: string;
  /**
   * Start of the incarnation that is meant. An adapter whose manager names incarnations compares it
   * right before it asks, and refuses another one. Undefined for what has none (a queue, a policy).
   */
  readonly startedAt: Instant | undefined;
  /** For people, where the manager keeps it (YARN's diagnostics). Plain text, one line. */
  readonly reason: string;
  /** `uncap-application`: where it goes back to, as `ApplicationSight.queue` was before the cap. */
  readonly queue?: string;
  /** `limit-lifetime`: when the manager itself ends the application. */
  readonly until?: Instant;
  /**
   * `deny-new-work` and `allow-new-work`: what `AdmissionSight.restore` was right before the denial.
   * It is to be kept with the intent to deny, so that a crash loses no way back.
   */
  readonly restore?: string;
}

/**
 * What the manager said. `accepted` proves nothing (302, 202): whether it worked is for the reader
 * to see. `refused`: it surely was not carried out, also where no manager could be asked.
 * `unknown`: the answer was lost or an error of the server, so that it may have been carried out.
 */
export interface ActuatorAnswer {
  readonly outcome: 'accepted' | 'refused' | 'unsupported' | 'unknown';
  /** Status and words of the manager, without secrets. */
  readonly detail: string;
}

/** How a cluster is acted on; stands beside its ClusterReader, without which nothing may be done. */
export interface ClusterActuator {
  readonly abilities: ReadonlySet<Actuation>;
  /** Asks once, never retries. Only throws when the signal aborts. */
  act(order: ActuatorOrder, signal: AbortSignal): Promise<ActuatorAnswer>;
}

/** One application as its manager tells it now, for a look before and after an action. */
export type ApplicationSight =
  | {
      readonly outcome: 'seen';
      readonly state: 'waiting' | 'running' | 'ended';
      /** As the manager calls its end, such as `KILLED`; '' while it runs. */
      readonly finalState: string;
      readonly startedAt: Instant | undefined;
      readonly name: string;
      readonly user: string;
      readonly queue: string;
      readonly tags: Readonly<Record<string, string>>;
      readonly at: Instant;
    }
  /** The manager answered whole and knows no such application. */
  | { readonly outcome: 'absent'; readonly at: Instant }
  /** It could not be told; nothing follows from it. */
  | { readonly outcome: 'unknown'; readonly why: string };

/** What tells whether a cluster works; unknown is not idle. */
export const ACTIVITY_SIGNALS = [
  'jobs',
  'streaming-queries',
  'stages',
  'sessions',
  'driver-work',
] as const;
export type ActivitySignal = (typeof ACTIVITY_SIGNALS)[number];

export interface ActivitySight {
  readonly signal: ActivitySignal;
  /**
   * None after this, up to `asOf`: the last activity, `asOf` itself while there is some, the
   * beginning of the watch where there never was any. Undefined: unknown.
   */
  readonly lastAt: Instant | undefined;
  /** As of when that was told. */
  readonly asOf: Instant;
  /** False where the source sees only some of it: then it tells activity, and never its absence. */
  readonly complete: boolean;
  /** Who told it. */
  readonly source: string;
}

/** A whole cluster as its manager tells it now. */
export type ClusterSight =
  | {
      readonly outcome: 'seen';
      readonly state: 'starting' | 'running' | 'terminating' | 'terminated';
      readonly name: string;
      readonly startedAt: Instant | undefined;
      readonly owner: string;
      readonly tags: Readonly<Record<string, string>>;
      readonly market: 'on-demand' | 'spot' | 'unknown';
      /** Its platform refuses to terminate it, or would make it anew (a job's cluster). */
      readonly protected: boolean;
      readonly activity: readonly ActivitySight[];
      readonly at: Instant;
    }
  | { readonly outcome: 'absent'; readonly at: Instant }
  | { readonly outcome: 'unknown'; readonly why: string };

/** Whether new work gets through a queue or policy. */
export type AdmissionSight =
  | {
      readonly outcome: 'open';
      readonly at: Instant;
      /** What the manager must be told to be as it is now again; opaque, for the order. */
      readonly restore?: string;
    }
  | { readonly outcome: 'denied'; readonly at: Instant }
  | { readonly outcome: 'unknown'; readonly why: string };

/** What enforcement must see before it acts, and after. Only throws when the signal aborts. */
export interface TargetReader {
  /** Missing where a manager doesn't tell: there a denial can't be verified, and isn't ordered. */
  admission?(subject: string, signal: AbortSignal): Promise<AdmissionSight>;
  application(id: string, signal: AbortSignal): Promise<ApplicationSight>;
  cluster(signal: AbortSignal): Promise<ClusterSight>;
}
