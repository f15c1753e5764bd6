import type { Instant } from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';

/** Which index a project's record lies in. It follows from the event's time, so that a late or
 * repeated record finds the place that it had before. */
export interface IndexPlaces {
  /** The index of a project's record with event time `at`, existing or to be made from the template. */
  place(project: ProjectId, at: Instant): string;
  /**
   * Names of the indices (no wildcards over other projects' own) that hold the project's records
   * with event time in `[from, until)`; some may not exist.
   */
  places(project: ProjectId, from: Instant, until: Instant): readonly string[];
}
