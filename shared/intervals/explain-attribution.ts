import { type ApplicationFact, NO_RULE } from '../contracts/container-fact.ts';
import { applicationIdentity } from './application-identity.ts';

/** A fact that says who pays for an application, and what became of it. */
export interface AttributionVerdict {
  readonly fact: ApplicationFact;
  readonly decides: boolean;
  /** One sentence. */
  readonly why: string;
}

function whyOf(fact: ApplicationFact, rule: number, decides: boolean): string {
  if (fact.rule >= NO_RULE) return 'no attribution rule matched what it tells';
  if (decides) return `attribution rule ${fact.rule} matched, the first of those that did`;
  return fact.rule > rule
    ? `rule ${fact.rule} matched, and rule ${rule} comes before it`
    : 'tells the same as the fact that stands';
}

/** Why an application is its project's: every fact that names a payer, in order of time. */
export function explainAttribution(
  ref: { readonly cluster: string; readonly application: string },
  told: readonly ApplicationFact[],
): AttributionVerdict[] {
  const facts = told.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const project = applicationIdentity(ref, facts, 0).project;
  const rule = Math.min(...facts.map((fact) => fact.rule));
  const standing = facts
    .filter((fact) => fact.rule === rule && (rule >= NO_RULE || fact.project === project))
    .reduce<string | undefined>(
      (best, { id }) => (best === undefined || id < best ? id : best),
      undefined,
    );
  return facts.map((fact) => {
    const decides = fact.id === standing && fact.rule < NO_RULE;
    return { fact, decides, why: whyOf(fact, rule, decides) };
  });
}
