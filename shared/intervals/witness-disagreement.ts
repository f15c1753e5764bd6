import { type ContainerFact, isInferredStop, type Witness } from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import type { WitnessRule } from './witness-trust.ts';

/** Two or more witnesses that tell one moment of a container too far apart. */
export interface WitnessDisagreement {
  readonly what: 'start' | 'stop';
  /** What each says, most trusted first. */
  readonly told: readonly {
    readonly witness: Witness;
    readonly at: Instant;
    readonly factId: string;
  }[];
  /** Between the earliest and the latest. */
  readonly apartMs: number;
}

/**
 * Where the witnesses of a container are further apart than the tolerance: their starts, and their
 * stops, the first of each. Stops that were concluded aren't testimony.
 *
 * @param facts of one container, in order of time
 */
export function witnessDisagreements(
  facts: readonly ContainerFact[],
  { trust, toleranceMs }: WitnessRule,
): WitnessDisagreement[] {
  const disagreements: WitnessDisagreement[] = [];
  for (const [what, kind] of [
    ['start', 'container-started'],
    ['stop', 'container-stopped'],
  ] as const) {
    const told = trust.flatMap((witness) => {
      const fact = facts.find(
        (one) => one.kind === kind && one.witness === witness && !isInferredStop(one),
      );
      return fact === undefined ? [] : [{ witness, at: fact.at, factId: fact.id }];
    });
    const times = told.map(({ at }) => at);
    const apartMs = Math.max(...times) - Math.min(...times);
    if (told.length > 1 && apartMs > toleranceMs) disagreements.push({ what, told, apartMs });
  }
  return disagreements;
}
