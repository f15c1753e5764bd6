import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import type { PriceStep } from '../values/price-step.ts';
import type { ProjectId } from '../values/project-id.ts';

/** A workload: what stays the same over an application's runs. */
export interface Workload {
  /**
   * The applications' name; `*` at its end stands for any text, for names that carry a date, among
   * the project's newest 5,000.
   */
  readonly name: string;
  /** Tags that a run must have, each with this value. */
  readonly tags: Readonly<Record<string, string>>;
}

/** One run that has ended. */
export interface WorkloadRun {
  readonly cluster: string;
  readonly application: string;
  readonly start: Instant;
  readonly end: Instant;
  readonly charged: Nanocredits;
  /**
   * Its charges by price step, in micro-credits; of a large run only a thousand lines of a hundred
   * containers, which tell at which prices it ran.
   */
  readonly chargedAt: readonly { readonly step: PriceStep; readonly microcredits: bigint }[];
}

export interface WorkloadReader {
  /** The last runs that have ended and cost something, newest first. */
  runs(project: ProjectId, workload: Workload, limit: number): Promise<WorkloadRun[]>;
}
