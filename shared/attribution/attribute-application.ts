import { NO_RULE } from '../contracts/container-fact.ts';
import { type ProjectId, parseProjectId, UNATTRIBUTED } from '../values/project-id.ts';
import type { AttributionRule, AttributionRules } from './attribution-rules.ts';
import { matchGlob } from './match-glob.ts';

/** What rules may look at. An unknown field is ''. */
export interface AttributionSubject {
  readonly user: string;
  readonly queue: string;
  readonly name: string;
  readonly configuration: ReadonlyMap<string, string>;
  readonly tags: Readonly<Record<string, string>>;
}

function matchesAll(
  globs: Readonly<Record<string, string>> | undefined,
  lookUp: (key: string) => string | undefined,
): boolean {
  return Object.entries(globs ?? {}).every(([key, glob]) => {
    const value = lookUp(key);
    return value !== undefined && matchGlob(glob, value);
  });
}

function matches(rule: AttributionRule, subject: AttributionSubject): boolean {
  const fits = (glob: string | undefined, text: string): boolean =>
    glob === undefined || matchGlob(glob, text);
  return (
    fits(rule.user, subject.user) &&
    fits(rule.queue, subject.queue) &&
    fits(rule.name, subject.name) &&
    matchesAll(rule.configuration, (key) => subject.configuration.get(key)) &&
    matchesAll(rule.tags, (key) =>
      Object.hasOwn(subject.tags, key) ? subject.tags[key] : undefined,
    )
  );
}

function projectOf(rule: AttributionRule, subject: AttributionSubject): ProjectId | undefined {
  if (rule.projectFromConfiguration === undefined) return rule.project;
  const named = parseProjectId(subject.configuration.get(rule.projectFromConfiguration) ?? '');
  // Nobody names themselves out of attribution.
  return named === UNATTRIBUTED ? undefined : named;
}

/** Whether the subject's user or queue may use the project, as the rule's claimants say. */
function mayUse({ claimants = [] }: AttributionRule, project: string, subject: AttributionSubject) {
  const decides = claimants.find((one) => matchGlob(one.project, project));
  if (decides === undefined) return true;
  return (
    decides.users.some((glob) => matchGlob(glob, subject.user)) ||
    decides.queues.some((glob) => matchGlob(glob, subject.queue))
  );
}

export interface Attributed {
  readonly project: ProjectId;
  readonly rule: number;
  /** The project that the rule gives and that this user and queue may not use. */
  readonly claimed?: ProjectId;
}

/**
 * The project of an application and the index of the rule that says so, or UNATTRIBUTED and
 * NO_RULE. A rule that takes the project from the configuration and finds no usable name there
 * doesn't match, so the next rules are asked. A project that the subject may not use makes
 * it UNATTRIBUTED with the rule's own index: no later rule and no other witness gives it another.
 */
export function attributeApplication(
  rules: AttributionRules,
  subject: AttributionSubject,
): Attributed {
  for (const [index, rule] of rules.entries()) {
    const project = matches(rule, subject) ? projectOf(rule, subject) : undefined;
    if (project === undefined) continue;
    if (mayUse(rule, project, subject)) return { project, rule: index };
    return { project: UNATTRIBUTED, rule: index, claimed: project };
  }
  return { project: UNATTRIBUTED, rule: NO_RULE };
}
