import type { Witness } from '../contracts/container-fact.ts';

/**
 * Whose word stands, most trusted first. The agent and the event log record an event when it
 * happens; a cluster manager that is polled tells a stop only to within its polling interval, and
 * YARN's default calculator reports one core whatever was asked for.
 */
const TRUST: readonly Witness[] = ['agent', 'event-log', 'kubernetes', 'yarn', 'standalone'];

/** The facts of the most trusted witness among them; of none, none. */
export function mostTrusted<T extends { readonly witness: Witness }>(facts: readonly T[]): T[] {
  const witness = TRUST.find((candidate) => facts.some((fact) => fact.witness === candidate));
  return facts.filter((fact) => fact.witness === witness);
}
