import type { Offset } from '../../../../shared/contracts/progress-record.ts';
import type { Verdict } from '../../../../shared/contracts/rest.ts';

/** What one batch said of one partition. */
export interface OffsetSample {
  readonly end: Offset;
  readonly lag: number | null;
}

/**
 * Burrow's verdict on one partition, from its samples in order of time.
 * - rewind: the end went back
 * - ok: the lag was zero once in the window, or isn't known
 * - stall: batches end, the offset stays, there is lag
 * - warn: the offset moves, the lag never falls
 *
 * `stop` needs the time that passed since, and is said by {@link judgeQuery}. Burrow asks for lag
 * before it calls a rewind; here a rewind comes first, since a query without rate limit reports a
 * lag of zero with each batch, which would hide every rewind.
 * Source: linkedin/Burrow core/internal/evaluator/caching.go.
 *
 * @param minimumSamples stall and warn are said of no fewer
 */
export function judgeOffsets(samples: readonly OffsetSample[], minimumSamples: number): Verdict {
  let moved = false;
  let lagFell = false;
  let lagKnown = true;
  let previous: OffsetSample | undefined;
  for (const sample of samples) {
    if (sample.lag === null || sample.lag === 0) lagKnown = false;
    if (previous !== undefined) {
      if (sample.end < previous.end) return 'rewind';
      if (sample.end !== previous.end) moved = true;
      if ((sample.lag ?? 0) < (previous.lag ?? 0)) lagFell = true;
    }
    previous = sample;
  }
  if (!lagKnown || samples.length < minimumSamples) return 'ok';
  if (!moved) return 'stall';
  return lagFell ? 'ok' : 'warn';
}
