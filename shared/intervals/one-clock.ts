import { type ContainerFact, isInferredStop, type Witness } from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import { mostTrusted, type WitnessRule } from './witness-trust.ts';

export interface OneClock {
  readonly start: Instant;
  /** Whose start the life is measured from: the application's end is asked of the same one first. */
  readonly witness: Witness;
  /** Seen, after the start; undefined while nobody has told one. */
  readonly stop: ContainerFact | undefined;
}

/**
 * Start and stop of a container by one clock where that is possible: those of the most trusted
 * witness that told both. An earlier start of another witness counts within the tolerance, since a
 * container is held from its allocation on; a more trusted stop counts within it, too. What is
 * further apart is told by clocks that disagree, and would lengthen or shorten the life by their
 * difference.
 *
 * @param facts of one container, in order of time
 * @returns undefined without a start
 */
export function oneClock(
  facts: readonly ContainerFact[],
  { trust, toleranceMs }: WitnessRule,
): OneClock | undefined {
  const starts = facts.filter(({ kind }) => kind === 'container-started');
  const stops = facts.filter((one) => one.kind === 'container-stopped' && !isInferredStop(one));
  const clocks = trust.flatMap((witness) => {
    const start = starts.find((one) => one.witness === witness);
    if (start === undefined) return [];
    const stop = stops.find((one) => one.witness === witness && one.at > start.at);
    return [{ start, stop }];
  });
  const whole = clocks.find(({ stop }) => stop !== undefined);
  const anchor = (whole ?? clocks[0])?.start;
  if (anchor === undefined) return undefined;
  const start = starts.find(({ at }) => at >= anchor.at - toleranceMs)?.at ?? anchor.at;
  const { witness } = anchor;
  const after = stops.filter(({ at }) => at > start);
  const trusted = mostTrusted(after, trust)[0];
  if (whole?.stop === undefined) return { start, witness, stop: trusted };
  const agrees = trusted !== undefined && Math.abs(trusted.at - whole.stop.at) <= toleranceMs;
  return { start, witness, stop: agrees ? trusted : whole.stop };
}
