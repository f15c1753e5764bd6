import type { Charge } from '../contracts/charge.ts';
import type { ContainerFact } from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** A container's fact, and when it came to be known. */
export interface ToldFact {
  readonly fact: ContainerFact;
  readonly storedAt: Instant;
}

/** All that is known of a container, with the rows that a project has of it. */
export interface ContainerDossier {
  readonly cluster: string;
  readonly container: string;
  readonly application: string;
  readonly facts: readonly ToldFact[];
  readonly evidence: { readonly until: Instant; readonly storedAt: Instant } | undefined;
  /** In order of id. */
  readonly rows: readonly Charge[];
}

/** What an explanation reads. What belongs to another project isn't there. */
export interface ExplanationReader {
  /** A row of the ledger. */
  charge(project: ProjectId, id: string): Promise<Charge | undefined>;
  /** Clusters on which the project has an application of this name, in order. */
  clustersOf(project: ProjectId, application: string): Promise<string[]>;
  /** Names of an application's containers, in order, after one of them. */
  containersOf(
    project: ProjectId,
    ref: { readonly cluster: string; readonly application: string },
    page: { readonly limit: number; readonly after?: string },
  ): Promise<string[]>;
  /**
   * Of these containers of one cluster, in their order.
   *
   * @param hour only rows of this hour
   */
  dossiers(
    project: ProjectId,
    cluster: string,
    containers: readonly string[],
    hour?: Instant,
  ): Promise<ContainerDossier[]>;
}
