import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { ProjectId } from '../values/project-id.ts';

/** Credits given to a project. A row of the ledger: taken back by a negative grant, never edited. */
export interface Grant {
  readonly id: string;
  readonly project: ProjectId;
  readonly amount: Nanocredits;
  readonly reason: string;
  readonly grantedAt: Instant;
}

/** What the API writes of the ledger. */
export interface GrantStore {
  /** Repeating a grant is a no-op; the same id with another body is a CONFLICT. */
  grant(grant: Grant): Promise<'granted' | 'already-there'>;
  /** Makes a project known before it has used anything. */
  register(project: ProjectId): Promise<void>;
  grants(project: ProjectId): Promise<Grant[]>;
}
