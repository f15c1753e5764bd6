import type { ReadingKind } from '../../../shared/rating/evaluate-limits.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** Measures one part of what a project uses. */
export interface BytesReader {
  readonly project: ProjectId;
  readonly kind: ReadingKind;
  /** Unique among the project's parts of this kind, and the same after a restart. */
  readonly part: string;
  /** @throws AppError when the place doesn't answer, with what to do */
  read(now: Instant, signal: AbortSignal): Promise<bigint>;
}
