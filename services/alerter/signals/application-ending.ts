import type {
  ApplicationEnding,
  ApplicationFact,
} from '../../../shared/contracts/container-fact.ts';

/** An event log without an exit code only concludes from its last job: others go before it. */
function isConcluded({ witness, ending }: ApplicationFact): boolean {
  return witness === 'event-log' && ending?.exitCode === undefined;
}

const WORST: readonly ApplicationEnding['outcome'][] = ['failed', 'killed', 'succeeded'];

/**
 * How an application ended, over all witnesses; undefined where nobody tells. A master that was told
 * to kill may say FINISHED, and a driver's exit code knows nothing of its manager: the worst word
 * stands, with the longest reason for it.
 */
export function applicationEnding(
  facts: readonly ApplicationFact[],
): ApplicationEnding | undefined {
  const told = facts.filter(({ kind, ending }) => kind === 'application-ended' && ending);
  const direct = told.filter((fact) => !isConcluded(fact));
  const endings = (direct.length > 0 ? direct : told).flatMap(({ ending }) => ending ?? []);
  const outcome = WORST.find((one) => endings.some((ending) => ending.outcome === one));
  if (outcome === undefined) return undefined;
  const mine = told.flatMap(({ ending }) => (ending?.outcome === outcome ? [ending] : []));
  const longest = mine.reduce((a, b) => (b.reason.length > a.reason.length ? b : a));
  const exitCode = mine.find((ending) => ending.exitCode !== undefined)?.exitCode;
  return { outcome, reason: longest.reason, ...(exitCode === undefined ? {} : { exitCode }) };
}
