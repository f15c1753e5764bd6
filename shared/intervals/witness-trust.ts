import { WITNESSES, type Witness } from '../contracts/container-fact.ts';

/**
 * Whose word stands, most trusted first. The agent and the event log record an event when it
 * happens; a cluster manager that is polled tells a stop only to within its polling interval, and
 * YARN's default calculator reports one core whatever was asked for.
 */
export const DEFAULT_TRUST: readonly Witness[] = [
  'agent',
  'event-log',
  'kubernetes',
  'yarn',
  'standalone',
  'databricks',
  'emr',
];

/** How the words of several witnesses become one truth. */
export interface WitnessRule {
  /** Every witness once, most trusted first. */
  readonly trust: readonly Witness[];
  /** What two witnesses may be apart before they disagree; a longer start-up is one, too. */
  readonly toleranceMs: number;
}

export const DEFAULT_WITNESS_RULE: WitnessRule = { trust: DEFAULT_TRUST, toleranceMs: 60_000 };

/** An order of trust in which those that nobody named come last, as they stand by default. */
export function wholeTrust(named: readonly Witness[]): Witness[] {
  const rest = DEFAULT_TRUST.filter((witness) => !named.includes(witness));
  return [...new Set(named), ...rest].filter((witness) => WITNESSES.includes(witness));
}

/** The facts of the most trusted witness among them; of none, none. */
export function mostTrusted<T extends { readonly witness: Witness }>(
  facts: readonly T[],
  trust: readonly Witness[] = DEFAULT_TRUST,
): T[] {
  const witness = trust.find((candidate) => facts.some((fact) => fact.witness === candidate));
  return facts.filter((fact) => fact.witness === witness);
}
