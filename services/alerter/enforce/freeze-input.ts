import { type ActionProposal, isSameTarget } from '../../../shared/contracts/action.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { PLANNER_VERSION } from './plan/plan-enforcement.ts';
import type { LiveApplication, PlanInput } from './plan/plan-input.ts';
import { isMeant } from './plan/tracks.ts';

/** What is kept with an action: the part of the input from which the decision follows again. */
export interface FrozenInput {
  readonly planner: string;
  readonly input: PlanInput;
}

/** The part of a plan's input that one proposal follows from, small enough to be kept for ever. */
function partOf(input: PlanInput, proposal: ActionProposal): PlanInput {
  const { target, alert } = proposal;
  const ofAlert = input.alerts.filter(({ id }) => id === alert);
  const isNeeded = (app: LiveApplication): boolean => {
    if (target.kind === 'cluster') return app.cluster === target.cluster;
    if (target.kind === 'application')
      return app.cluster === target.cluster && app.id === target.id;
    return ofAlert.some((one) => one.target.kind !== 'project' && isMeant(one, app));
  };
  // A look at a cluster carries its number of applications, so that shares need no list of them.
  return {
    ...input,
    policies: input.policies.filter(({ id }) => id === proposal.policy),
    levels: input.levels.filter(({ policy }) => policy === proposal.policy),
    alerts: ofAlert,
    applications: input.applications.filter(isNeeded),
    actions: input.actions.filter(
      (one) =>
        one.alert === alert || isSameTarget(one.target, target) || one.target.kind === 'project',
    ),
  };
}

/** Canonical JSON of what a proposal follows from. */
export function freezeInput(input: PlanInput, proposal: ActionProposal): string {
  const frozen: FrozenInput = { planner: PLANNER_VERSION, input: partOf(input, proposal) };
  return canonicalJson(frozen);
}
