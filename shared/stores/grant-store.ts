import type { HourCharge } from '../grants/burn-down.ts';
import type { GrantTerms } from '../grants/grant-terms.ts';
import type { GrantEntry } from '../grants/missing-entries.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { ProjectId } from '../values/project-id.ts';
import type { Fence } from './lease.ts';

/** Credits given to a project. A row of the ledger: taken back by a negative grant, never edited. */
export interface Grant {
  readonly id: string;
  readonly project: ProjectId;
  readonly amount: Nanocredits;
  readonly reason: string;
  readonly grantedAt: Instant;
  /** Without any it holds from the hour it was given in, for ever. */
  readonly terms?: GrantTerms;
}

/** All that a project's burn-down follows from, and what was written of it. */
export interface GrantBook {
  readonly grants: readonly Grant[];
  /** Net, in order. */
  readonly charges: readonly HourCharge[];
  readonly entries: readonly (GrantEntry & { readonly storedAt: Instant })[];
}

/** What the API and the configuration write of the ledger, and the meter keeps. */
export interface GrantStore {
  /** Repeating a grant is a no-op; the same id with another body is a CONFLICT. */
  grant(grant: Grant): Promise<'granted' | 'already-there'>;
  /**
   * All or none. Each as `grant` does.
   *
   * @throws AppError BAD_REQUEST or CONFLICT naming every grant that is wrong or contradicts
   */
  grantAll(grants: readonly Grant[]): Promise<('granted' | 'already-there')[]>;
  /** Makes a project known before it has used anything. */
  register(project: ProjectId): Promise<void>;
  grants(project: ProjectId): Promise<Grant[]>;
  /** @param from charges of earlier hours are left out */
  book(project: ProjectId, from?: Instant): Promise<GrantBook>;
  /**
   * Writes what has expired, begun or rolled over by now, or was charged differently since, of
   * projects that are due; repeated, it writes nothing.
   *
   * @param fence of the lease under which it is done: FENCED when another holder has it by now
   * @returns how many projects it looked at; fewer than the limit when none is left
   */
  keepDue(now: Instant, limit: number, fence?: Fence): Promise<number>;
}
