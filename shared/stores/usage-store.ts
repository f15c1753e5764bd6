import type { ReadingKind } from '../rating/evaluate-limits.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** One part of what a project uses of a kind, such as a folder, as it was measured. */
export interface PartReading {
  readonly project: ProjectId;
  readonly kind: ReadingKind;
  readonly part: string;
  readonly used: bigint;
  readonly asOf: Instant;
}

/** What was measured of projects' use; the balance tells it, summed over the parts. */
export interface UsageStore {
  /** The reading with the later `asOf` stands. */
  record(readings: readonly PartReading[]): Promise<void>;
  /** Forgets the parts of a kind that are measured no more. */
  keepParts(
    kind: ReadingKind,
    parts: readonly { project: ProjectId; part: string }[],
  ): Promise<void>;
}
