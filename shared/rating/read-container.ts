import type { ApplicationFact, Witness } from '../contracts/container-fact.ts';
import { applicationIdentity, attemptEnd } from '../intervals/application-identity.ts';
import {
  type ContainerTold,
  type ContainerWitnessed,
  containerLife,
} from '../intervals/container-life.ts';
import type { WitnessRule } from '../intervals/witness-trust.ts';
import type { Instant } from '../values/instant.ts';
import { type OutcomePolicy, outcomeOf, outcomePercent, printOutcome } from './outcome.ts';

/** By what facts become a life and a share of the price. */
export interface ReadingRules {
  readonly leaseMs: number;
  readonly witnessRule: WitnessRule;
  readonly outcomePolicy: OutcomePolicy;
}

/** What is known of a container and of its application. */
export interface ContainerKnown extends Omit<ContainerWitnessed, 'applicationEnd'> {
  readonly cluster: string;
  readonly application: string;
  readonly applicationFacts: readonly ApplicationFact[];
}

/** A container as it is charged. */
export interface ContainerReading {
  readonly witnessed: ContainerWitnessed;
  readonly told: ContainerTold;
  /** The policy that prices it, as a charge tells it; '' at the full price. */
  readonly outcome: string;
  readonly percent: number;
}

/** Reads a container as the meter does. */
export function readContainer(
  known: ContainerKnown,
  { leaseMs, witnessRule, outcomePolicy }: ReadingRules,
  now: Instant,
): ContainerReading {
  const { facts, applicationFacts } = known;
  const { trust } = witnessRule;
  const identity = applicationIdentity(known, applicationFacts, 0, trust);
  const applicationEnd = (attempt: string, witness: Witness): Instant | undefined =>
    attemptEnd(applicationFacts, attempt, [witness, ...trust]) ?? identity.ended;
  const witnessed = { ...known, applicationEnd };
  const told = containerLife(witnessed, now, leaseMs, witnessRule);
  const application = { facts: applicationFacts, attempts: identity.attempts };
  const outcome =
    told.life === undefined
      ? ''
      : printOutcome(outcomeOf(told.life, facts, application), outcomePolicy);
  return { witnessed, told, outcome, percent: outcomePercent(outcome) };
}
