import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { ProjectId } from '../values/project-id.ts';

/** Half-open, on whole hours. */
export interface ReplayWindow {
  readonly from: Instant;
  readonly until: Instant;
}

/** A container that lived in the window, and who pays for it today. */
export interface ReplayContainer {
  readonly cluster: string;
  readonly container: string;
  readonly application: string;
  readonly project: ProjectId;
}

export interface StartedApplications {
  readonly applications: number;
  /** What the ledger has charged them, whenever. */
  readonly charged: Nanocredits;
  /** The first few, by start. */
  readonly first: readonly string[];
}

/**
 * What a replay reads besides the journal and the price book. Of all projects, for administrators,
 * where none is named.
 */
export interface ReplayReader {
  countContainers(window: ReplayWindow, project: ProjectId | undefined): Promise<number>;
  /** In order of cluster and name. */
  containers(
    window: ReplayWindow,
    project: ProjectId | undefined,
    page: {
      readonly limit: number;
      readonly after?: Pick<ReplayContainer, 'cluster' | 'container'>;
    },
  ): Promise<ReplayContainer[]>;
  /** Sums of the rows with an hour in the window, corrections included, by project. */
  charged(
    window: ReplayWindow,
    project: ProjectId | undefined,
  ): Promise<ReadonlyMap<ProjectId, Nanocredits>>;
  /** Of a project, with a start in `[from, until)`. */
  started(project: ProjectId, window: ReplayWindow): Promise<StartedApplications>;
}
