import { type ApplicationFact, NO_RULE } from '../../../shared/contracts/container-fact.ts';
import { applicationKey, type JournalReader } from '../../../shared/stores/journal.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** Where an application's project can be looked up. */
export type KnownApplications = Pick<JournalReader, 'applications'>;

/** The project of the lowest rule, as the meter takes it; undefined where no rule gave one. */
function projectOfFacts(facts: readonly ApplicationFact[]): ProjectId | undefined {
  const ranked = facts
    .filter(({ rule }) => rule < NO_RULE)
    .toSorted((a, b) => a.rule - b.rule || (a.id < b.id ? -1 : 1));
  return ranked[0]?.project;
}

/** Projects of applications as the journal knows them, by `applicationKey`; without those it doesn't. */
export async function knownProjects(
  journal: KnownApplications,
  refs: readonly { readonly cluster: string; readonly application: string }[],
): Promise<ReadonlyMap<string, ProjectId>> {
  const known = new Map<string, ProjectId>();
  if (refs.length === 0) return known;
  for (const [key, facts] of await journal.applications([...refs])) {
    const project = projectOfFacts(facts);
    if (project !== undefined) known.set(key, project);
  }
  return known;
}

/** Of one application. */
export async function knownProject(
  journal: KnownApplications,
  ref: { readonly cluster: string; readonly application: string },
): Promise<ProjectId | undefined> {
  return (await knownProjects(journal, [ref])).get(applicationKey(ref));
}
