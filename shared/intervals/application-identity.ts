import { type ApplicationFact, NO_RULE, type Witness } from '../contracts/container-fact.ts';
import type { ApplicationState } from '../stores/ledger-writer.ts';
import type { Instant } from '../values/instant.ts';
import { UNATTRIBUTED } from '../values/project-id.ts';
import { DEFAULT_TRUST, mostTrusted } from './witness-trust.ts';

const byTime = (a: ApplicationFact, b: ApplicationFact): number =>
  a.at - b.at || (a.id < b.id ? -1 : 1);

/** The fact whose attribution stands: of the lowest rule, and of these the smallest id. */
function attributing(facts: readonly ApplicationFact[]): ApplicationFact | undefined {
  return facts.reduce<ApplicationFact | undefined>((best, fact) => {
    if (best === undefined || fact.rule < best.rule) return fact;
    return fact.rule === best.rule && fact.id < best.id ? fact : best;
  }, undefined);
}

/** The first text that isn't empty, in order of time. */
function firstKnown(facts: readonly ApplicationFact[], member: 'name' | 'user' | 'queue'): string {
  return facts.find((fact) => fact[member] !== '')?.[member] ?? '';
}

/**
 * When an attempt was over: the earliest end that the most trusted witness tells of it, or of the
 * application as a whole; undefined while no witness does.
 */
export function attemptEnd(
  facts: readonly ApplicationFact[],
  attempt: string,
  trust: readonly Witness[] = DEFAULT_TRUST,
): Instant | undefined {
  const ends = facts.filter(
    (fact) =>
      fact.kind === 'application-ended' && (fact.attempt === attempt || fact.attempt === ''),
  );
  return mostTrusted(ends, trust).toSorted(byTime)[0]?.at;
}

/**
 * What the facts of one application say together. A pure function of their set.
 *
 * @param since start where no fact tells one: its first container's
 */
export function applicationIdentity(
  ref: { readonly cluster: string; readonly application: string },
  told: readonly ApplicationFact[],
  since: Instant,
  trust: readonly Witness[] = DEFAULT_TRUST,
): ApplicationState {
  const facts = told.toSorted(byTime);
  const attributed = attributing(facts);
  const attempts = [...new Set(facts.map(({ attempt }) => attempt))].filter((one) => one !== '');
  return {
    cluster: ref.cluster,
    application: ref.application,
    project:
      attributed === undefined || attributed.rule >= NO_RULE ? UNATTRIBUTED : attributed.project,
    name: firstKnown(facts, 'name'),
    user: firstKnown(facts, 'user'),
    queue: firstKnown(facts, 'queue'),
    attempts,
    tags: attributed?.tags ?? {},
    // The tracking page of the last attempt is the one that still answers.
    url: facts.findLast(({ url }) => url !== '')?.url ?? '',
    start: facts[0]?.at ?? since,
    ended: attemptEnd(facts, attempts.at(-1) ?? '', trust),
  };
}
