import {
  type ApplicationFact,
  type ContainerFact,
  INFERRED_STOP,
} from '../contracts/container-fact.ts';
import type { ContainerLife } from '../intervals/container-life.ts';

/**
 * What sets a container apart from one that did its work: granted and never at work; taken back by
 * its manager; an application master that is no driver; of an attempt that was tried again. The
 * first one that holds stands.
 */
export type Outcome = 'never-run' | 'preempted' | 'application-master' | 'retried-attempt' | '';

/** Percent of the price that containers of an outcome pay; retried attempts pay all of it. */
export type OutcomePolicy = Readonly<Record<Exclude<Outcome, '' | 'retried-attempt'>, number>>;

export const FULL_PRICE: OutcomePolicy = {
  'never-run': 100,
  preempted: 100,
  'application-master': 100,
};

/**
 * How managers say that they took a container back: YARN's exit status −102 and Spark's words for
 * it, Kubernetes' evictions, a spot machine called back.
 * Sources: hadoop-yarn-api …/ContainerExitStatus.java, SchedulerUtils.java; spark YarnAllocator.scala.
 */
const PREEMPTED =
  /preempt|exit (?:status|code):? -102\b|\bevict|spot (?:instance )?(?:reclaim|interrupt)/i;

/** YARN's word for a container that nobody launched in time, and Spark's for one it gave back. */
const UNUSED = /expired since it was unused|never ran\b/i;

/** Witnesses that see an executor at work, and not only granted. */
const WORKERS: ReadonlySet<string> = new Set(['event-log', 'agent']);

/** Whether one that sees executors at work has told this container's application to its end. */
function isToldToTheEnd(attempt: string, application: readonly ApplicationFact[]): boolean {
  return application.some(
    (fact) =>
      fact.kind === 'application-ended' &&
      WORKERS.has(fact.witness) &&
      (fact.attempt === attempt || fact.attempt === ''),
  );
}

/**
 * A pure function of the facts of a container and its application.
 *
 * @param attempts of the application, in order
 */
export function outcomeOf(
  life: Pick<ContainerLife, 'role' | 'attempt' | 'coverage'>,
  facts: readonly ContainerFact[],
  application: { readonly facts: readonly ApplicationFact[]; readonly attempts: readonly string[] },
): Outcome {
  const { role, attempt, coverage } = life;
  const reasons = facts.flatMap((one) =>
    one.kind === 'container-stopped' && !one.reason.startsWith(INFERRED_STOP) ? [one.reason] : [],
  );
  const atWork = facts.some(({ witness }) => WORKERS.has(witness));
  const over = coverage !== 'open';
  if (over && role === 'executor' && !atWork) {
    if (reasons.some((reason) => UNUSED.test(reason))) return 'never-run';
    if (isToldToTheEnd(attempt, application.facts)) return 'never-run';
  }
  if (over && reasons.some((reason) => PREEMPTED.test(reason))) return 'preempted';
  if (role === 'application-master') return 'application-master';
  const last = application.attempts.at(-1);
  return attempt !== '' && last !== undefined && last !== attempt ? 'retried-attempt' : '';
}

/** What a charge says of the policy that priced it: `preempted 50`; '' at the full price. */
export function printOutcome(outcome: Outcome, policy: OutcomePolicy): string {
  const percent = outcome === '' || outcome === 'retried-attempt' ? 100 : policy[outcome];
  return percent === 100 ? '' : `${outcome} ${percent}`;
}

/** Percent of the price that a charge with this text pays. */
export function outcomePercent(printed: string): number {
  const match = /^[a-z-]+ (\d{1,3})$/.exec(printed);
  return match === null ? 100 : Number(match[1]);
}
