import type { ApplicationFact, Witness } from '../../../shared/contracts/container-fact.ts';
import type { ApplicationRef } from '../../../shared/stores/application-watch.ts';
import { applicationKey } from '../../../shared/stores/journal.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { SignalDeps } from './signal-deps.ts';

/** Witnesses within the application; all others are its manager. */
const INSIDERS: ReadonlySet<Witness> = new Set(['event-log', 'agent']);

/**
 * When the incarnation began that runs at `at`, as its manager counts: that is what a manager is
 * asked about before it is told to end something. Undefined where no manager told it.
 */
export function managedStart(facts: readonly ApplicationFact[], at: Instant): Instant | undefined {
  const starts = facts.flatMap((fact) =>
    fact.kind === 'application-seen' && !INSIDERS.has(fact.witness) && fact.at <= at
      ? [fact.at]
      : [],
  );
  return starts.length === 0 ? undefined : Math.max(...starts);
}

/** By applicationKey; applications whose manager told nothing are left out. */
export async function applicationStarts(
  { journal }: Pick<SignalDeps, 'journal'>,
  applications: readonly ApplicationRef[],
  at: Instant,
): Promise<ReadonlyMap<string, Instant>> {
  const facts = await journal.applications(applications);
  const starts = new Map<string, Instant>();
  for (const application of applications) {
    const key = applicationKey(application);
    const start = managedStart(facts.get(key) ?? [], at);
    if (start !== undefined) starts.set(key, start);
  }
  return starts;
}
