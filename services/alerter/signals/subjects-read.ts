import type { Instant } from '../../../shared/values/instant.ts';
import type { Sample } from './signal.ts';

/** What one look at a signal found, before it is held against the limit. */
export interface SubjectsRead {
  readonly samples: readonly Sample[];
  readonly watermark: Instant | undefined;
  readonly complete: boolean;
}

/** Reads all subjects of one signal as of `at`. @throws SignalFailure where they can't be told */
export type ReadSubjects = (
  at: Instant,
  limit: number,
  signal: AbortSignal,
) => Promise<SubjectsRead>;

/** All subjects, as new as the oldest of their parts. */
export function wholeRead(
  samples: readonly Sample[],
  watermarks: readonly (Instant | undefined)[] = [],
): SubjectsRead {
  const known = watermarks.filter((one) => one !== undefined);
  const watermark = known.length === 0 ? undefined : Math.min(...known);
  return { samples, watermark, complete: true };
}
