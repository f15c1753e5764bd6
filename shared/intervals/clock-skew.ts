import { type ContainerFact, isInferredStop, type Witness } from '../contracts/container-fact.ts';
import type { Instant } from '../values/instant.ts';
import { mostTrusted, type WitnessRule } from './witness-trust.ts';

/** What two witnesses told of one container, as a measure of how their clocks are apart. */
export interface ClockPair {
  readonly witness: Witness;
  /** The more trusted one. */
  readonly reference: Witness;
  /** Whose clock the witness reads: of the agent its host's, else '' for the cluster's. */
  readonly host: string;
  /** When, by the reference. */
  readonly at: Instant;
  /** Witness minus reference, ms; undefined where one of them doesn't tell. */
  readonly startMs: number | undefined;
  readonly stopMs: number | undefined;
}

/** How far a witness's clock is ahead of the reference's. */
export interface ClockSkew extends Pick<ClockPair, 'witness' | 'reference' | 'host'> {
  /** Median of the differences, ms; undefined with too few of them. */
  readonly offsetMs: number | undefined;
  /** Median distance of the differences from it. */
  readonly spreadMs: number | undefined;
  /** Differences that were known. */
  readonly differences: number;
}

/** Fewer differences tell nothing: the start-up of one container would pass for a wrong clock. */
export const SKEW_DIFFERENCES_MIN = 5;

const momentOf = (
  facts: readonly ContainerFact[],
  witness: Witness,
  kind: ContainerFact['kind'],
): ContainerFact | undefined =>
  facts.find((one) => one.kind === kind && one.witness === witness && !isInferredStop(one));

/** @param facts of one container, in order of time; one pair for each witness but the most trusted */
export function clockPairs(
  facts: readonly ContainerFact[],
  { trust }: Pick<WitnessRule, 'trust'>,
): ClockPair[] {
  const reference = mostTrusted(facts, trust)[0]?.witness;
  if (reference === undefined) return [];
  const apart = (witness: Witness, kind: ContainerFact['kind']): number | undefined => {
    const [own, other] = [momentOf(facts, witness, kind), momentOf(facts, reference, kind)];
    return own === undefined || other === undefined ? undefined : own.at - other.at;
  };
  return trust.flatMap((witness) => {
    if (witness === reference) return [];
    const startMs = apart(witness, 'container-started');
    const stopMs = apart(witness, 'container-stopped');
    if (startMs === undefined && stopMs === undefined) return [];
    const [first] = facts.filter((one) => one.witness === reference);
    const host = facts.find((one) => one.witness === witness)?.host ?? '';
    const at = first?.at ?? 0;
    return [{ witness, reference, host: witness === 'agent' ? host : '', at, startMs, stopMs }];
  });
}

/** Of an even number the lower one of the middle, so that it is a difference that was seen. */
function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

/**
 * Estimates the skew of each witness and host by the median of its differences: up to half of them
 * may be anything. What containers take to start up is in it, so that it is shown and corrects
 * nothing.
 */
export function estimateClockSkew(pairs: readonly ClockPair[]): ClockSkew[] {
  const keyOf = ({ witness, reference, host }: ClockPair) => `${witness}\n${reference}\n${host}`;
  return [...Map.groupBy(pairs, keyOf)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, group]) => {
      const [first] = group;
      if (first === undefined) return [];
      const { witness, reference, host } = first;
      const values = group.flatMap(({ startMs, stopMs }) =>
        [startMs, stopMs].filter((value) => value !== undefined),
      );
      const enough = values.length >= SKEW_DIFFERENCES_MIN;
      const offsetMs = enough ? median(values) : undefined;
      const spreadMs =
        offsetMs === undefined
          ? undefined
          : median(values.map((value) => Math.abs(value - offsetMs)));
      return [{ witness, reference, host, offsetMs, spreadMs, differences: values.length }];
    });
}
