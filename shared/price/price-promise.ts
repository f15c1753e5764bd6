import type { PriceEpoch } from '../contracts/charge.ts';
import type { Instant } from '../values/instant.ts';
import type { Interval } from '../values/interval.ts';
import { BASE_STEP, type PriceStep } from '../values/price-step.ts';
import type { ProjectId } from '../values/project-id.ts';

/** That a project's applications in a pool pay at most `step` over `[start, end)`. Never edited. */
export interface PricePromise extends Interval {
  /** Random and told only when it is stored, so that no fact names it before it is there. */
  readonly id: string;
  readonly project: ProjectId;
  readonly pool: string;
  readonly step: PriceStep;
}

/** The tag by which an application names the promise that it runs under. */
export const QUOTE_TAG = 'tollgate.quote';

/** What the application pays for, to see whether a promise is about it. */
interface Payer {
  readonly project: ProjectId;
  /** Undefined where none prices its cluster. */
  readonly pool: string | undefined;
}

/** Epochs without gap over the whole of time: base price where none is recorded. */
function withoutGaps(epochs: readonly PriceEpoch[], promise: PricePromise): PriceEpoch[] {
  const base = (start: Instant, end: Instant | undefined): PriceEpoch => ({
    id: '',
    pool: promise.pool,
    step: BASE_STEP,
    start,
    end,
    ruleVersion: '',
    reason: 'base',
    inputs: '{}',
  });
  const whole: PriceEpoch[] = [];
  let covered: Instant | undefined = Number.NEGATIVE_INFINITY;
  for (const [index, epoch] of epochs.entries()) {
    const next = epochs[index + 1]?.start;
    const end =
      epoch.end === undefined || (next !== undefined && next < epoch.end) ? next : epoch.end;
    if (covered !== undefined && covered < epoch.start) whole.push(base(covered, epoch.start));
    whole.push({ ...epoch, end });
    covered = end;
  }
  if (covered !== undefined) whole.push(base(covered, undefined));
  return whole;
}

/**
 * The epochs that an application under a promise is rated by: the smaller of both steps inside the
 * promise, the pool's own outside. A promise of another project or pool changes nothing.
 *
 * @param epochs of the pool, in order of start
 */
export function promisedEpochs(
  epochs: readonly PriceEpoch[],
  promise: PricePromise | undefined,
  { project, pool }: Payer,
): readonly PriceEpoch[] {
  if (promise === undefined || promise.project !== project || promise.pool !== pool) return epochs;
  return withoutGaps(epochs, promise).flatMap((epoch) => {
    const end = epoch.end ?? Number.POSITIVE_INFINITY;
    const from = Math.max(epoch.start, promise.start);
    const until = Math.min(end, promise.end);
    if (from >= until || epoch.step <= promise.step) return [epoch];
    const reason = `${epoch.reason}, promised by quote ${promise.id}`;
    // Another id than the epoch's own, which holds around it.
    const id = `${epoch.id}/${promise.id}`;
    const promised = { ...epoch, id, start: from, end: until, step: promise.step, reason };
    const parts: PriceEpoch[] = [promised];
    if (epoch.start < from) parts.unshift({ ...epoch, end: from });
    if (until < end) parts.push({ ...epoch, start: until });
    return parts;
  });
}
