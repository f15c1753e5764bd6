import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** What was journaled and isn't charged as it stands, or isn't believed; a person should know. */
export interface LedgerAnomaly {
  readonly anomaly: string;
  /** The fact that shows it. */
  readonly factId: string;
  /** Of that fact. */
  readonly at: Instant;
  readonly project: ProjectId;
  readonly cluster: string;
  readonly application: string;
  /** '' for what concerns the application as a whole. */
  readonly container: string;
  /** What belongs to this kind of anomaly, as JSON. */
  readonly detail: string;
}
