import type { Charge } from '../contracts/charge.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { ProjectId } from '../values/project-id.ts';

/** What a running application has used up to its last evidence and is not charged yet. */
export interface Accrual {
  readonly project: ProjectId;
  readonly cluster: string;
  readonly application: string;
  readonly amount: Nanocredits;
  /** What its running containers cost an hour at the price now. */
  readonly perHour: Nanocredits;
  readonly asOf: Instant;
}

/** An application as the journal tells it; replaced whole when new facts change it. */
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

/** One settlement, written as one transaction. */
export interface Settlement {
  readonly charges: readonly Charge[];
  /** Replaces the accruals of these applications; an amount of 0 removes. */
  readonly accruals: readonly Accrual[];
  readonly applications: readonly ApplicationView[];
  /** Containers to look at again without a new fact: open, or not yet charged to their end. */
  readonly open: readonly { cluster: string; container: string; nextAt: Instant }[];
  readonly closed: readonly { cluster: string; container: string }[];
  /** Journal position up to which facts are settled. */
  readonly cursor: number;
  readonly asOf: Instant;
}

/** Net of the ledger's rows of one container, by hour and step. */
export interface NetCharge {
  readonly charge: Charge;
  /** Number of rows so far; the next row's revision. */
  readonly revision: number;
}

/** Only `services/metering/ledger` may import this. */
export interface LedgerWriter extends AsyncDisposable {
  cursor(): Promise<number>;
  /** The rows in force (not retracted) of these containers, keyed by containerKey. */
  inForce(
    refs: readonly { cluster: string; container: string }[],
  ): Promise<Map<string, NetCharge[]>>;
  /** Containers whose `nextAt` has come. */
  due(now: Instant, limit: number): Promise<{ cluster: string; container: string }[]>;
  /** All or nothing; a charge id that exists is a no-op, and so is the whole settlement repeated. */
  settle(settlement: Settlement): Promise<void>;
}
