import type { LedgerAnomaly } from '../contracts/anomaly.ts';
import type { Charge } from '../contracts/charge.ts';
import type { ClockPair } from '../intervals/clock-skew.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Resources } from '../values/resources.ts';
import type { Fence } from './lease.ts';

/**
 * A container as it was last settled. Absolute, so that writing it again changes nothing. What its
 * application and project have accrued is the sum of these, kept by the store.
 */
export interface ContainerState {
  readonly cluster: string;
  readonly container: string;
  readonly application: string;
  readonly state: 'running' | 'ended';
  readonly start: Instant;
  /** Last evidence while it runs. */
  readonly end: Instant;
  readonly coverage: 'exact' | 'inferred' | 'running';
  /** Its last evidence, which an inferred end may be later than. */
  readonly witnessedUntil: Instant;
  /** What it holds now, or held last. */
  readonly resources: Resources;
  /** Used up to its last evidence and not charged yet. */
  readonly accrued: Nanocredits;
  /** What it costs an hour at the price now; 0 when it has ended. */
  readonly perHour: Nanocredits;
  /** Whole hours up to here are charged; from here to `end` it accrues. */
  readonly chargedUntil: Instant;
  /** When to look again without a new fact: it runs, or isn't charged to its end yet. */
  readonly nextAt: Instant | undefined;
  /** As the origin writes it; '' where it has none. */
  readonly attempt?: string;
  /** What sets it apart from a container that did its work: see shared/rating/outcome. */
  readonly outcome?: string;
}

/** What the settlement found of one container, or of an application itself, having read all its facts. */
export interface Findings {
  readonly cluster: string;
  readonly application: string;
  /** '' for an application's own. */
  readonly container: string;
  /** All there are: one that stood before and isn't among them has gone. */
  readonly anomalies: readonly LedgerAnomaly[];
  readonly clockPairs: readonly ClockPair[];
}

/** What the facts say of an application; replaced whole when they change. */
export interface ApplicationState {
  readonly cluster: string;
  readonly application: string;
  readonly project: ProjectId;
  readonly name: string;
  readonly user: string;
  readonly queue: string;
  readonly attempts: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly url: string;
  /** Earliest event time known. */
  readonly start: Instant;
  /** From a fact; an application without one ends with its last container. */
  readonly ended: Instant | undefined;
}

/** An application with the sums over its containers, as readers see it. */
export interface ApplicationView {
  readonly cluster: string;
  readonly application: string;
  readonly project: ProjectId;
  readonly name: string;
  readonly user: string;
  readonly queue: string;
  readonly attempts: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly url: string;
  readonly state: 'running' | 'ended';
  readonly start: Instant;
  readonly end: Instant | undefined;
  readonly containersRunning: number;
  readonly containersTotal: number;
  /** Sum over running containers. */
  readonly millicores: number;
  readonly memoryMib: number;
  readonly gpus: number;
  readonly coverage: 'exact' | 'inferred' | 'running';
}

/** An application as it was last settled. */
export interface SettledApplication {
  readonly state: ApplicationState;
  /** How often its containers have been made due again because it had changed. */
  readonly restated: number;
}

export interface Restatement {
  readonly cluster: string;
  readonly application: string;
  /** `all` when project or tags changed; those that run or whose end is inferred when its end did. */
  readonly containers: 'all' | 'unsure';
}

/** One settlement, written as one transaction. */
export interface Settlement {
  /** Whose facts and containers these are. An application of another shard may be among them. */
  readonly shard: number;
  readonly charges: readonly Charge[];
  readonly containers: readonly ContainerState[];
  readonly applications: readonly ApplicationState[];
  /** Applications that have changed, so that their containers become due at once. */
  readonly restate: readonly Restatement[];
  /**
   * What was read of each application before its facts were (`restated`; undefined when it wasn't
   * there). Another shard's meter that has restated it since made this settlement's containers due
   * for facts that it doesn't know: CONFLICT.
   */
  readonly read: readonly {
    readonly cluster: string;
    readonly application: string;
    readonly restated: number | undefined;
  }[];
  /** Of what was looked at as a whole; without it nothing is. */
  readonly findings?: readonly Findings[];
  /** Journal position up to which the shard's facts are settled; never goes back (CONFLICT). */
  readonly cursor: number;
  /** All that was stored of the shard up to here is in the balances after this settlement. */
  readonly asOf: Instant;
}

/** The ledger's last word on one hour, step and kind of a container's lines. */
export interface NetCharge {
  /** The row in force, or a RETRACTION when nothing is. */
  readonly charge: Charge;
  /** Number of rows so far; the next row's revision. */
  readonly revision: number;
}

export interface DueContainer {
  readonly cluster: string;
  readonly container: string;
  /** Its charges stand up to here unless a fact is new; undefined when all must be looked at. */
  readonly chargedUntil: Instant | undefined;
}

/** What a card asks, as text: equal cards have equal text. */
export interface FixedRateCard {
  readonly id: string;
  readonly body: string;
}

/** Only `services/metering/ledger` may import this. */
export interface LedgerWriter extends AsyncDisposable {
  /** Into how many shards the ledger is divided; fixed when it is made. */
  shards(): Promise<number>;
  /** Journal position up to which the shard's facts are settled. */
  cursor(shard: number): Promise<number>;
  /**
   * Keeps what cards ask for ever, since charges name them by their ids.
   *
   * @throws AppError CONFIG_INVALID, naming every card that was kept with another body; then none is
   */
  fixRateCards(cards: readonly FixedRateCard[], at: Instant): Promise<void>;
  /** End of the last closed month: a row of an earlier hour is booked after it; undefined: none is. */
  closedUntil(): Promise<Instant | undefined>;
  /** By container, hour, step and kind, for hours at or after `from`; keyed by containerKey. */
  inForce(
    refs: readonly { cluster: string; container: string }[],
    from: Instant,
  ): Promise<Map<string, NetCharge[]>>;
  /** Applications as last settled, keyed by applicationKey. */
  applications(
    refs: readonly { cluster: string; application: string }[],
  ): Promise<Map<string, SettledApplication>>;
  /**
   * The shard's containers whose `nextAt` has come, the longest due first; those too whose end was inferred
   * and that have been seen since.
   */
  due(now: Instant, limit: number, shard: number): Promise<DueContainer[]>;
  /**
   * All or nothing; a charge that exists is a no-op, and so is the whole settlement repeated. The id
   * of a charge with another body is a CONFLICT, as a cursor that goes back is: another meter has
   * settled meanwhile, and this one must read again. So is a row in the books of a closed month.
   *
   * A row's stored time is never before its shard's `asOf`: what was stored by then is known then.
   *
   * @param fence of the lease under which it was made: FENCED when another holder has it by now
   */
  settle(settlement: Settlement, fence?: Fence): Promise<void>;
}
