import {
  type ActionProposal,
  DESTRUCTIVE_LEVELS,
  type EnforcementAction,
} from '../../../../shared/contracts/action.ts';
import type { Intent } from '../../../../shared/stores/enforcement-store.ts';
import { HOUR_MS } from '../../../../shared/values/instant.ts';
import type { PlanInput } from './plan-input.ts';

type Counted = Pick<ActionProposal, 'level' | 'project' | 'target'>;

const isDestructive = ({ level }: Pick<ActionProposal, 'level'>): boolean =>
  DESTRUCTIVE_LEVELS.has(level);

/** Within the hour by the wall clock, or by steady time: a jump empties no budget. */
export function intentsOfTheHour({ intents, now, steadyMs }: PlanInput): Intent[] {
  return intents
    .filter(isDestructive)
    .filter((one) => one.at > now - HOUR_MS || one.steadyMs > steadyMs - HOUR_MS);
}

/** How many applications end with it. */
function weight({ level, target }: Counted, { clusters }: PlanInput): number {
  if (level !== 'terminate-cluster') return 1;
  return Math.max(1, clusters.find(({ cluster }) => cluster === target.cluster)?.live ?? 1);
}

function total(all: readonly Counted[], input: PlanInput): number {
  return all.reduce((sum, one) => sum + weight(one, input), 0);
}

/** At least one, so that small clusters aren't beyond reach. */
function shareOfRunning({ clusters, rules }: PlanInput): number {
  const running = clusters.reduce((sum, { live, complete }) => sum + (complete ? live : 0), 0);
  return Math.max(1, Math.floor((running * rules.budget.percentOfRunning) / 100));
}

function overTick(batch: readonly Counted[], input: PlanInput, verb: string): string | undefined {
  const { perTick } = input.rules.budget;
  const count = total(batch, input);
  return count > perTick ? `${count} to be ${verb} at once, ${perTick} may be` : undefined;
}

/**
 * Why a batch of due actions would go beyond the budget, over all policies. More than expected means
 * that a rule is wrong (cloud-custodian/cloud-custodian#4997), so that nothing of it is done.
 *
 * @param done already in this tick
 */
export function dueOverBudget(
  batch: readonly EnforcementAction[],
  input: PlanInput,
  done = 0,
): string | undefined {
  const due = batch.filter(isDestructive);
  if (due.length === 0) return undefined;
  const { perTick, perHour, perProjectHour } = input.rules.budget;
  if (done + total(due, input) > perTick) return overTick(due, input, 'done') ?? `${perTick} done`;
  const used = intentsOfTheHour(input);
  const hour = total([...used, ...due], input);
  if (hour > perHour) return `${hour} within an hour, ${perHour} may be`;
  for (const { project } of due) {
    const mine = [...used, ...due].filter((one) => one.project === project);
    if (mine.length > perProjectHour) {
      return `${mine.length} of ${project ?? 'no project'} in an hour, ${perProjectHour} may be`;
    }
  }
  const share = shareOfRunning(input);
  return hour > share ? `${hour} within an hour, ${share} of what runs may be` : undefined;
}

/** Why what would be announced now is too much. */
export function proposedOverBudget(
  batch: readonly ActionProposal[],
  input: PlanInput,
): string | undefined {
  const proposed = batch.filter(isDestructive);
  if (proposed.length === 0) return undefined;
  const waiting = input.actions
    .filter(isDestructive)
    .filter(({ state }) => state === 'proposed' || state === 'announced');
  const sum = total([...proposed, ...waiting, ...intentsOfTheHour(input)], input);
  const share = shareOfRunning(input);
  return (
    overTick(proposed, input, 'announced') ??
    (sum > share ? `${sum} announced or done, ${share} of what runs may be` : undefined)
  );
}
